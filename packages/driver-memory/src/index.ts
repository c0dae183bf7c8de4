/**
 * The driver of `memory://` transports: oslo.messaging over a broker in this process.
 *
 * @packageDocumentation
 */
export { memory, type MemoryDriverConfig } from './memory.ts'
