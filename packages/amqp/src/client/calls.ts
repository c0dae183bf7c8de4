import {
  ChannelClosedError,
  ChannelError,
  createDeferred,
  ProtocolError,
  type Deferred,
  type HermodError,
} from '@hermod/kernel'
import {
  METHOD_CODES,
  type DecodedMethod,
  type MethodArguments,
  type MethodName,
  type MethodReplies,
} from '../wire/generated/methods.ts'

/** A method that a broker answers. */
export type CallName = keyof MethodReplies

/** The answer to a method. */
export type Reply<Name extends CallName> = Extract<DecodedMethod, { readonly name: MethodReplies[Name] }>

interface OpenCall {
  readonly name: CallName
  readonly args: MethodArguments[CallName]
  readonly answered: Deferred<DecodedMethod>
}

/**
 * The calls of one channel that wait for their answers. Several may be under way; one whose caller has gone still takes
 * its answer when it comes.
 *
 * A broker answers calls of one kind in the order of asking, but not all: in RabbitMQ the queue itself answers
 * `basic.consume` and `basic.cancel`, and the answers to what was asked behind them may come first.
 */
export class Calls {
  #open: OpenCall[] = []

  /** Remembers a call that is being written now. */
  add<Name extends CallName>(name: Name, args: MethodArguments[Name]): Promise<Reply<Name>> {
    const answered = createDeferred<DecodedMethod>()
    // Whoever waits still gets the rejection; a caller that left at its deadline must not end the process.
    answered.promise.catch(() => {})
    this.#open.push({ name, args, answered })
    return answered.promise as Promise<Reply<Name>>
  }

  /** Whether the next message that a `basic.get` gives needs no ack. */
  get noAckGet(): boolean {
    const args = this.#open.find(({ name }) => name === 'basic.get')?.args
    return args !== undefined && 'noAck' in args && args.noAck
  }

  /** @throws {ProtocolError} E_PROTOCOL when nothing was asked that this could answer. */
  answer(method: DecodedMethod): void {
    const at = this.#open.findIndex((call) => isReply(call, method))
    // Calls that wait keep their places, so that they fail with the others.
    if (at === -1) throw new ProtocolError(`${method.name} came unasked`)
    const [call] = this.#open.splice(at, 1)
    call?.answered.resolve(method)
  }

  /**
   * Whether a method of this name answers calls at all.
   */
  static isReplyName(name: MethodName): boolean {
    return name.endsWith('-ok') || name === 'basic.get-empty'
  }

  /** The broker closed the channel: the call that it blames gets its words, the others were never looked at. */
  fail(error: HermodError): void {
    const open = this.#open
    this.#open = []
    let blamed = false
    for (const { name, answered } of open) {
      if (!(error instanceof ChannelError)) {
        answered.reject(error)
      } else if (!blamed && error.method === name) {
        blamed = true
        answered.reject(error)
      } else {
        answered.reject(
          new ChannelClosedError(`${name}: the channel was closed (${error.message})`, { cause: error }),
        )
      }
    }
  }
}

function isReply({ name, args: asked }: OpenCall, { name: reply, args }: DecodedMethod): boolean {
  if (reply === 'basic.get-empty') return name === 'basic.get'
  if (reply !== `${name}-ok`) return false
  // The empty tag lets the broker choose one.
  if (!('consumerTag' in asked) || !('consumerTag' in args) || asked.consumerTag === '') return true
  return asked.consumerTag === args.consumerTag
}

/** The name of the method that a close frame blames, for texts. */
export function blamedMethod({ classId, methodId }: MethodArguments['channel.close']): string {
  const code = classId * 0x1_0000 + methodId
  const found = (Object.keys(METHOD_CODES) as MethodName[]).find((name) => METHOD_CODES[name] === code)
  return found ?? `method ${classId}.${methodId}`
}
