/** Where the broker is not to do as RabbitMQ 3.10 does. */
export interface IntendedDifference {
  /** The group of the scripts, and their titles. */
  readonly concept: string
  readonly titles: readonly string[]
  /** What RabbitMQ says: lines of its transcript, without their indent, one behind the other. */
  readonly rabbitmq: readonly string[]
  /** What the broker says in their place. */
  readonly broker: readonly string[]
  readonly reason: string
}

export const INTENDED_DIFFERENCES: readonly IntendedDifference[] = []

/**
 * What the broker should say where RabbitMQ says `truth`.
 *
 * @throws {TypeError} where RabbitMQ does not say what a difference is about: then the table is wrong.
 */
export function intended(concept: string, title: string, truth: readonly string[]): readonly string[] {
  let lines = [...truth]
  for (const difference of INTENDED_DIFFERENCES) {
    if (difference.concept !== concept || !difference.titles.includes(title)) continue
    const { rabbitmq, broker } = difference
    const at = lines.findIndex((_, index) =>
      rabbitmq.every((line, offset) => lines[index + offset]?.trim() === line),
    )
    if (at === -1)
      throw new TypeError(
        `RabbitMQ does not say ${JSON.stringify(rabbitmq)}: the table of differences is wrong`,
      )
    lines = [
      ...lines.slice(0, at),
      ...broker.map((line) => `  ${line}`),
      ...lines.slice(at + rabbitmq.length),
    ]
  }
  return lines
}
