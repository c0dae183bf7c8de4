import type { BrokerCapabilities } from './broker-fixture.ts'

/** What the embedded broker can do in a test. It keeps everything in memory. */
export const EMBEDDED_CAPABILITIES: BrokerCapabilities = Object.freeze({
  restart: true,
  durable: false,
  plugins: false,
  administer: true,
  inspect: true,
  alarm: true,
})
