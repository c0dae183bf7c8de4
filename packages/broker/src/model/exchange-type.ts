import { AmqpError, preconditionFailed } from '../amqp-error.ts'
import type { Profile } from '../profile.ts'
import { DirectMatcher } from './direct-matcher.ts'
import { FanoutMatcher } from './fanout-matcher.ts'
import type { Fields } from './field.ts'
import { checkHeadersBinding, HeadersMatcher } from './headers-matcher.ts'
import type { Matcher } from './matcher.ts'
import { TopicMatcher } from './topic-matcher.ts'
import { countHashes } from './topic-trie.ts'

export type ExchangeType = 'direct' | 'fanout' | 'topic' | 'headers'

const MATCHERS: Readonly<Record<ExchangeType, () => Matcher>> = {
  direct: () => new DirectMatcher(),
  fanout: () => new FanoutMatcher(),
  topic: () => new TopicMatcher(),
  headers: () => new HeadersMatcher(),
}

/**
 * @throws {AmqpError} for a type that does not exist: 503 or 406.
 * @source rabbit_exchange:check_type; 3.10 says 'invalid' of a name that Erlang knows as an atom, such as the empty one
 */
export function exchangeType(name: string, profile: Profile): ExchangeType {
  if (Object.hasOwn(MATCHERS, name)) return name as ExchangeType
  const code = profile.unknownExchangeType
  throw new AmqpError(code, `${code === 503 && name === '' ? 'invalid' : 'unknown'} exchange type '${name}'`)
}

export const matcherOf = (type: ExchangeType): Matcher => MATCHERS[type]()

/** @throws {AmqpError} 406 for a binding that the type does not take. */
export function checkBinding(type: ExchangeType, key: string, args: Fields, profile: Profile): void {
  if (type === 'headers') checkHeadersBinding(args)
  const { maxTopicHashes } = profile
  if (type !== 'topic' || maxTopicHashes === undefined) return
  const hashes = countHashes(key)
  if (hashes > maxTopicHashes) {
    throw preconditionFailed(
      `Topic binding key '${key}' uses ${hashes} '#' wildcards, at most ${maxTopicHashes} are allowed`,
    )
  }
}
