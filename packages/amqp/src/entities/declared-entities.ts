import { stringifyJson } from '@hermod/kernel'
import { Exchange } from './exchange.ts'
import type { Queue } from './queue.ts'

/** What can be declared before a message is published. */
export type Entity = Exchange | Queue

/** A program that makes up a queue for each message is not to fill the memory with their definitions. */
const MOST_REMEMBERED = 1000

/**
 * Declares exchanges and queues once, by their whole definition: one of the same name and other properties is
 * declared too, so that the broker refuses it (406); kombu looks at names and hides that.
 *
 * What may vanish by itself (`autoDelete`, `expiresMs`) is declared each time.
 */
export class DeclaredEntities {
  readonly #declare: (entity: Entity) => Promise<unknown>
  readonly #attempts = new Map<string, Promise<unknown>>()
  #declared = new WeakSet<Entity>()

  constructor(declare: (entity: Entity) => Promise<unknown>) {
    this.#declare = declare
  }

  /** Whether there is nothing left to do for it. */
  has(entity: Entity): boolean {
    return this.#declared.has(entity)
  }

  /** Declares it unless that was done before. What was refused is tried again the next time. */
  async ensure(entity: Entity): Promise<void> {
    if (this.has(entity)) return
    if (mayVanish(entity)) return void (await this.#declare(entity))
    const definition = `${entity instanceof Exchange ? 'exchange' : 'queue'} ${stringifyJson(entity)}`
    let attempt = this.#attempts.get(definition)
    if (attempt === undefined) {
      if (this.#attempts.size >= MOST_REMEMBERED) this.forget()
      attempt = this.#declare(entity)
      this.#attempts.set(definition, attempt)
    }
    const declared = this.#declared
    try {
      await attempt
      declared.add(entity)
    } catch (error) {
      if (this.#attempts.get(definition) === attempt) this.#attempts.delete(definition)
      throw error
    }
  }

  /** Something is not there any more, nobody knows what: everything is declared again when it is next needed. */
  forget(): void {
    this.#attempts.clear()
    this.#declared = new WeakSet()
  }
}

function mayVanish(entity: Entity): boolean {
  return entity.autoDelete || entity.arguments['x-expires'] !== undefined
}
