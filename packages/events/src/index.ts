/**
 * Live OpenStack notifications from a broker, without disturbing the services that share it.
 *
 * @packageDocumentation
 */
export { compilePatterns } from './event-patterns.ts'
export { openTap } from './open-tap.ts'
export { TAP_DEFAULTS, type TapOptions } from './tap-options.ts'
export type { TapStats, TapStatus } from './tap-status.ts'
export type { EventHandler, Tap, TapEnd } from './tap.ts'
