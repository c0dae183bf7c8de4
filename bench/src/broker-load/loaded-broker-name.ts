/** A broker that loads are put on. */
export type LoadedBrokerName = 'rabbitmq' | 'embedded'

/** Ours. */
export const EMBEDDED = 'embedded'

/** All of them; what they do is compared with the first. */
export const LOADED_BROKERS: readonly LoadedBrokerName[] = ['rabbitmq', EMBEDDED]
