/** What a client saw of one scenario: each member is a chapter of it, told as far as the client's API goes. */
export interface Seen {
  /** Counts of a queue that was just declared. */
  readonly declared: readonly [messages: number, consumers: number]
  readonly confirmed: boolean
  /** Code and text with which a mandatory message of no queue came back. */
  readonly returned: readonly [code: number, text: string]
  /** Body and redelivered: got, got again after it was given back, and then, acked, nothing. */
  readonly got: readonly (readonly [body: string, redelivered: boolean] | null)[]
  /** Bodies as they were consumed: the first is acked, the second dropped, the third given back and consumed again. */
  readonly consumed: readonly (readonly [body: string, redelivered: boolean])[]
  /** Messages in the queue after that and a cancel. */
  readonly left: number
  /** Messages in a queue after a rollback, and after a commit. */
  readonly transactions: readonly [number, number]
  /** The answer to a request that asked for it through the queue of direct replies. */
  readonly answered: string
  /** Code of the close, after asking for a queue that is not there. */
  readonly refused: number
  /** Whether a consumer is told that its queue is deleted. */
  readonly cancelled: boolean
}

/** What every client sees, of RabbitMQ and of the broker. */
export const EXPECTED: Seen = {
  declared: [0, 0],
  confirmed: true,
  returned: [312, 'NO_ROUTE'],
  got: [['one', false], ['one', true], null],
  consumed: [
    ['a', false],
    ['b', false],
    ['c', false],
    ['c', true],
  ],
  left: 0,
  transactions: [0, 1],
  answered: 'pong',
  refused: 404,
  cancelled: true,
}
