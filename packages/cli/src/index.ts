/**
 * The commands of `hermod`.
 *
 * @packageDocumentation
 */
export { type CliIo, type SignalSource } from './cli-io.ts'
export { EXIT } from './exit-codes.ts'
export { processIo } from './process-io.ts'
export { run } from './run.ts'
