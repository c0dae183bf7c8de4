/**
 * An AMQP 0-9-1 broker in one Node process, in memory.
 *
 * @packageDocumentation
 */
export { PROFILES, type Profile, type ProfileName } from './profile.ts'
