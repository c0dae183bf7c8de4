import { AmqpError, notAllowed } from '../amqp-error.ts'

/** What connection.tune proposes and tune-ok settles. */
export interface Tuning {
  readonly channelMax: number
  /** The largest frame, its eight bytes of overhead included. */
  readonly frameMax: number
  readonly heartbeat: number
}

/**
 * Holds a tune-ok to what was proposed; 0 means no limit. The client alone decides the heartbeat.
 *
 * @throws {AmqpError} 530 as RabbitMQ does: frame_max is looked at first.
 * @source rabbit_reader:validate_negotiated_integer_value
 */
export function checkTuneOk(proposed: Tuning, smallestFrameMax: number, answer: Tuning): Tuning {
  check('frame_max', answer.frameMax, smallestFrameMax, proposed.frameMax)
  check('channel_max', answer.channelMax, 1, proposed.channelMax)
  return answer
}

function check(name: string, value: number, min: number, max: number): void {
  if (value !== 0 && value < min) throw refusal(name, value, 'lower than the minimum', min)
  if (max !== 0 && (value === 0 || value > max)) throw refusal(name, value, 'higher than the maximum', max)
}

function refusal(name: string, value: number, what: string, bound: number): AmqpError {
  const detail = name === 'channel_max' && value === 0 ? ' (no limit)' : ''
  return notAllowed(`negotiated ${name} = ${value}${detail} is ${what} allowed value (${bound})`)
}
