import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { HermodError } from '@hermod/kernel'

/** A call that takes longer than this has hung. */
const CALL_TIMEOUT_MS = 30_000

/** Where the node to control is, and how to get in. */
export interface ErlangControlOptions {
  /** The path of Erlang's `erl_call`. */
  readonly erlCall: string
  /** The folder with the `.erlang.cookie` of the node. */
  readonly home: string
  /** The distribution port of the node, on loopback. */
  readonly port: number
}

/**
 * Evaluates expressions inside a running RabbitMQ node and brings their values back as JSON.
 *
 * `erl_call` is a small C program that answers in milliseconds where `rabbitmqctl` starts a whole Erlang machine
 * for each call.
 */
export class ErlangControl {
  readonly #options: ErlangControlOptions

  constructor(options: ErlangControlOptions) {
    this.#options = options
  }

  /**
   * The value of an Erlang expression, through RabbitMQ's own JSON encoder.
   *
   * @throws {HermodError} E_CONN when the node cannot be reached or the expression fails.
   */
  async evaluate(expression: string): Promise<unknown> {
    // Base64 both ways: what erl_call prints is not safe for characters beyond Latin-1.
    const program = `
      Outcome = try #{value => begin ${expression} end}
      catch Class:Reason -> #{failure => unicode:characters_to_binary(io_lib:format("~0tp: ~0tp", [Class, Reason]))}
      end,
      io:put_chars(base64:encode(iolist_to_binary(rabbit_json:encode(Outcome)))),
      ok.\n`
    const output = await this.#call(program)
    const resultAt = output.indexOf('{')
    const text = Buffer.from(output.slice(0, resultAt), 'base64').toString()
    if (text === '') {
      throw new HermodError('E_CONN', `the node gave ${output.slice(resultAt)} for: ${expression}`)
    }
    const outcome = JSON.parse(text) as { readonly value: unknown } | { readonly failure: string }
    if ('failure' in outcome) {
      throw new HermodError('E_CONN', `the node failed with ${outcome.failure} in: ${expression}`)
    }
    return outcome.value
  }

  #call(program: string): Promise<string> {
    const { erlCall, home, port } = this.#options
    return new Promise((resolve, reject) => {
      const child = execFile(
        erlCall,
        // The node refuses a second caller of the same name, and erl_call's own random names repeat.
        ['-h', `testkit-${randomUUID()}`, '-address', `localhost:${port}`, '-e', '-fetch_stdout'],
        { env: { HOME: home }, timeout: CALL_TIMEOUT_MS, maxBuffer: 64 * 1024 * 1024 },
        (error, stdout, stderr) => {
          if (error === null) resolve(stdout)
          else {
            const problem = stderr.trim() || error.message
            reject(new HermodError('E_CONN', `erl_call failed: ${problem}`, { cause: error }))
          }
        },
      )
      child.stdin?.on('error', () => {}) // a node that is gone shows in the exit status
      child.stdin?.end(program)
    })
  }
}

/** A text as an Erlang expression that gives it as a UTF-8 binary. */
export function erlangBinary(text: string): string {
  return `base64:decode(<<"${Buffer.from(text).toString('base64')}">>)`
}
