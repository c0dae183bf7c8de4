/**
 * OpenTelemetry for Hermod: spans and metrics out of the diagnostics channels, by the semantic conventions.
 *
 * @packageDocumentation
 */
export { instrumentHermod, type Instrumentation, type InstrumentationOptions } from './instrument-hermod.ts'
export type { ObservedConnection, ObservedTransport } from './observed-connections.ts'
export type { ObservedDispatch, ObservedSend } from './observed-work.ts'
export { SEMANTIC_CONVENTIONS_VERSION } from './semantic-conventions.ts'
