import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { BrokerCapabilities } from './broker-fixture.ts'
import { EMBEDDED_CAPABILITIES } from './embedded-capabilities.ts'

/** Whether something that tests talk to is on this machine. */
export type Availability =
  | { readonly available: true }
  | {
      readonly available: false
      /** What is missing, and how to get it. */
      readonly reason: string
      /** The user's own settings rule it out, so that even a run that requires everything skips it. */
      readonly excused: boolean
    }

/** Debian's paths; its `rabbitmq-server` on the PATH is a wrapper that insists on the user `rabbitmq`. */
export const RABBITMQ_SERVER = '/usr/lib/rabbitmq/bin/rabbitmq-server'
export const ERL_CALL = '/usr/lib/erlang/bin/erl_call'
export const EPMD = '/usr/bin/epmd'
export const PYTHON = '/usr/bin/python3'

const ADVICE = 'scripts/setup-services installs it'

const LENT = 'HERMOD_TEST_AMQP_URL names a broker that tests may neither kill nor look into'

const ruledOut = (reason: string): Availability => ({ available: false, reason, excused: true })

const missing = (what: string): Availability => ({
  available: false,
  reason: `${what} is missing (${ADVICE})`,
  excused: false,
})

/** Whether every suite must run: `HERMOD_TEST_REQUIRE_SERVICES=1`. A missing peer is a failure then. */
export function requireServices(): boolean {
  return process.env['HERMOD_TEST_REQUIRE_SERVICES'] === '1'
}

/** The URL of a broker that the user lends to the tests, where `HERMOD_TEST_AMQP_URL` names one. */
export function lentBrokerUrl(): string | undefined {
  const url = process.env['HERMOD_TEST_AMQP_URL']
  return url === undefined || url === '' ? undefined : url
}

/** Whether tests run on the embedded broker in the place of RabbitMQ: `HERMOD_TEST_BROKER=embedded`. */
export function wantsEmbeddedBroker(): boolean {
  return process.env['HERMOD_TEST_BROKER'] === 'embedded'
}

/** Whether tests can start RabbitMQ nodes of their own, to kill and to look into. */
export function findRabbitMq(): Availability {
  if (wantsEmbeddedBroker()) return ruledOut('HERMOD_TEST_BROKER asks for the embedded broker')
  const absent = [RABBITMQ_SERVER, ERL_CALL, EPMD].filter((path) => !existsSync(path))
  if (absent.length === 0) return { available: true }
  if (lentBrokerUrl() === undefined) return missing(`rabbitmq-server (${absent.join(', ')})`)
  return ruledOut(LENT)
}

/**
 * Whether the broker that `startBroker` gives has these capabilities: the embedded one, RabbitMQ, or, where it is not
 * installed, the one that the user lends.
 */
export function findBroker(...needed: readonly (keyof BrokerCapabilities)[]): Availability {
  if (wantsEmbeddedBroker()) {
    const lacking = needed.filter((capability) => !EMBEDDED_CAPABILITIES[capability])
    return lacking.length === 0
      ? { available: true }
      : ruledOut(`the embedded broker cannot do this: ${lacking.join(', ')}`)
  }
  const rabbitMq = findRabbitMq()
  return lentBrokerUrl() !== undefined && needed.length === 0 ? { available: true } : rabbitMq
}

/** Whether a Python has these modules. @param python its path; `/usr/bin/python3` where absent. */
export function findPython(modules: readonly string[], python: string = PYTHON): Availability {
  if (!existsSync(python)) return missing(python)
  const program =
    'import sys; from importlib.util import find_spec; print(*[m for m in sys.argv[1:] if find_spec(m) is None])'
  const run = spawnSync(python, ['-c', program, ...modules], { encoding: 'utf8' })
  const absent = run.stdout.trim()
  if (run.status === 0 && absent === '') return { available: true }
  return missing(`python module ${absent === '' ? modules.join(' or ') : absent.replaceAll(' ', ', ')}`)
}

/** What {@link needs} says to `describe.skipIf` and to its title. */
export interface SuiteGate {
  /** Whether to skip the suite. Never for a missing peer under `HERMOD_TEST_REQUIRE_SERVICES=1`. */
  readonly skip: boolean
  /** For the end of the title: empty, or the reason. */
  readonly note: string
}

/**
 * Whether a suite can run that needs all of these.
 *
 * `const gate = needs(findRabbitMq()); describe.skipIf(gate.skip)('recovery' + gate.note, …)`. Under
 * `HERMOD_TEST_REQUIRE_SERVICES=1` the suite runs all the same, and fails where it starts what is missing.
 */
export function needs(...peers: readonly Availability[]): SuiteGate {
  const absent = peers.filter((peer) => !peer.available)
  const skip = absent.some((peer) => peer.excused || !requireServices())
  return {
    skip,
    note: skip ? ` (skipped: ${absent.map((peer) => peer.reason).join('; ')})` : '',
  }
}
