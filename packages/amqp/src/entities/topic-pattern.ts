/**
 * Whether a topic exchange hands a message with this routing key to a binding with this key, as RabbitMQ decides it.
 *
 * Keys are words between dots. In a binding key `*` stands for exactly one word (an empty one too) and `#` for any
 * number of words, none included. The empty key has no word.
 *
 * @example
 * matchesTopic('*.muzixing.#', 'hello.muzixing.info') // true
 * matchesTopic('*.muzixing.#', 'muzixing.info') // false
 *
 * @source AMQP 0-9-1 §3.1.3.3; RabbitMQ `rabbit_exchange_type_topic`
 */
export function matchesTopic(bindingKey: string, routingKey: string): boolean {
  const pattern = wordsOf(bindingKey)
  const words = wordsOf(routingKey)
  let p = 0
  let w = 0
  let afterHash = -1
  let retryAt = 0
  // On a mismatch only the latest `#` takes one word more: whatever an earlier one would take, it could take as well.
  while (w < words.length) {
    if (pattern[p] === '#') {
      afterHash = ++p
      retryAt = w
    } else if (p < pattern.length && (pattern[p] === '*' || pattern[p] === words[w])) {
      p++
      w++
    } else if (afterHash >= 0) {
      p = afterHash
      w = ++retryAt
    } else {
      return false
    }
  }
  while (pattern[p] === '#') p++
  return p === pattern.length
}

function wordsOf(key: string): readonly string[] {
  return key === '' ? [] : key.split('.')
}
