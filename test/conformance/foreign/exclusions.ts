/** Why a test of somebody else's suite does not count. */
export interface Exclusion {
  readonly tests: readonly string[]
  /** `fails`: it runs, and must fail. `left out`: it cannot run beside others, or talks to something else. */
  readonly how: 'fails' | 'left out'
  readonly reason: string
}

/** Each suite that runs in CI, with what is excluded of it. The page docs/broker-conformance.md says the same. */
export const EXCLUSIONS: Readonly<Record<'oslo.messaging' | 'kombu' | 'py-amqp', readonly Exclusion[]>> = {
  'oslo.messaging': [
    {
      tests: ['test_functional.MetricsTestCase.test_functional'],
      how: 'left out',
      reason:
        'tests oslo.metrics: it starts a collector of its own on the fixed port 3000 and leaves it running where it fails',
    },
    {
      tests: ['test_rabbitmq'],
      how: 'left out',
      reason:
        'starts a cluster of three RabbitMQ nodes of its own and stops them: no broker that is given to it',
    },
  ],
  kombu: [],
  'py-amqp': [
    {
      tests: ['test_tls_default_certs', 'test_tls_no_default_certs_fails'],
      how: 'left out',
      reason: 'dial a public web site, and no broker',
    },
  ],
}
