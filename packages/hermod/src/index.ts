/**
 * The whole library: one import for what the packages of Hermod offer.
 *
 * @packageDocumentation
 */
export { createTransport, type TransportOptions } from './create-transport.ts'
export * from '@hermod/amqp'
export * from '@hermod/driver-memory'
export * from '@hermod/driver-rabbit'
export * from '@hermod/events'
export * from '@hermod/kernel'
export * from '@hermod/messaging'
export * from '@hermod/openstack'
