import { UnsupportedFeatureError } from '@hermod/kernel'
import { findRabbitMq } from './availability.ts'

/** Another process may take a port between our look and the node's: a few new ones are tried. */
const START_ATTEMPTS = 3

/**
 * Starts what stands on free ports, and tries others when somebody else took one meanwhile.
 *
 * @throws {UnsupportedFeatureError} E_UNSUPPORTED when RabbitMQ is not installed.
 */
export async function startWithFreshPorts<T extends AsyncDisposable & { start(): Promise<void> }>(
  layOut: () => Promise<T>,
): Promise<T> {
  const availability = findRabbitMq()
  if (!availability.available) throw new UnsupportedFeatureError(availability.reason)
  for (let attempt = 1; ; attempt++) {
    const started = await layOut()
    try {
      await started.start()
      return started
    } catch (error) {
      const portTaken = error instanceof Error && error.message.includes('eaddrinuse')
      await started[Symbol.asyncDispose]()
      if (!portTaken || attempt === START_ATTEMPTS) throw error
    }
  }
}
