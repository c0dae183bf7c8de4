/** What brokers name by chance; the first such name of a script becomes `<queue 1>`, and so on. */
const NAMED_BY_BROKER: readonly (readonly [kind: string, pattern: RegExp])[] = [
  ['queue', /amq\.gen-[\w-]+/g],
  ['consumer', /amq\.ctag-[\w-]+/g],
  ['reply-to', /amq\.rabbitmq\.reply-to\.[\w+/=.-]+/g],
]

interface Line {
  readonly peer: string
  readonly channel: number
  readonly text: string
}

/** What the confirms of one channel have said since the step began. */
interface Confirms {
  readonly acked: number[]
  readonly nacked: number[]
}

/**
 * What was said in a script: steps of what was sent, and what came back until nothing more did.
 *
 * Within a step the lines stand by connection and channel; between channels the order is nobody's promise. Confirms
 * are gathered at the end of the step, for a broker may put any number of them into one `multiple`; a return that
 * comes after confirms says so.
 */
export class Transcript {
  readonly lines: string[] = []
  readonly #names = new Map<string, string>()
  readonly #counts = new Map<string, number>()
  #sent: string[] = []
  #received: Line[] = []
  #confirms = new Map<string, Confirms>()

  sent(peer: string, channel: number, text: string): void {
    this.#sent.push(`${peer}.${channel} > ${text}`)
  }

  received(peer: string, channel: number, text: string): void {
    this.#received.push({ peer, channel, text })
  }

  /** A confirm of the `tag`-th publish of the channel. */
  confirmed(peer: string, channel: number, tag: number, accepted: boolean): void {
    const place = `${peer}.${channel}`
    let confirms = this.#confirms.get(place)
    if (confirms === undefined) this.#confirms.set(place, (confirms = { acked: [], nacked: [] }))
    ;(accepted ? confirms.acked : confirms.nacked).push(tag)
  }

  /** How many confirms came on the channel since the step began. */
  confirms(peer: string, channel: number): number {
    const confirms = this.#confirms.get(`${peer}.${channel}`)
    return confirms === undefined ? 0 : confirms.acked.length + confirms.nacked.length
  }

  /** Ends a step, unless nothing happened in it. */
  endStep(): void {
    const gathered = [...this.#confirms].map(([place, { acked, nacked }]) => {
      const [peer, channel] = place.split('.') as [string, string]
      const said = [
        ...(acked.length === 0 ? [] : [`confirmed ${acked.toSorted((a, b) => a - b).join(',')}`]),
        ...(nacked.length === 0 ? [] : [`refused ${nacked.toSorted((a, b) => a - b).join(',')}`]),
      ]
      return { peer, channel: Number(channel), text: said.join(', ') }
    })
    const received = [...this.#received, ...gathered].toSorted(
      (one, other) =>
        (one.peer < other.peer ? -1 : one.peer > other.peer ? 1 : 0) || one.channel - other.channel,
    )
    this.lines.push(
      ...this.#sent.map((text) => this.#normalise(text)),
      ...received.map(({ peer, channel, text }) => this.#normalise(`  ${peer}.${channel} < ${text}`)),
    )
    this.#sent = []
    this.#received = []
    this.#confirms = new Map()
  }

  #normalise(text: string): string {
    let normal = text
    for (const [kind, pattern] of NAMED_BY_BROKER) {
      normal = normal.replace(pattern, (name) => {
        let alias = this.#names.get(name)
        if (alias === undefined) {
          const count = (this.#counts.get(kind) ?? 0) + 1
          this.#counts.set(kind, count)
          alias = `<${kind} ${count}>`
          this.#names.set(name, alias)
        }
        return alias
      })
    }
    return normal
  }
}
