/** Where the broker is not to do as RabbitMQ 3.10 does. */
interface IntendedDifference {
  /** The group of the scripts, and their titles. */
  readonly concept: string
  readonly titles: readonly string[]
  /** What RabbitMQ says: lines of its transcript, without their indent, one behind the other. */
  readonly rabbitmq: readonly string[]
  /** What the broker says in their place. */
  readonly broker: readonly string[]
  readonly reason: string
}

const SAYS_WHY =
  'RabbitMQ 3.10 waits three seconds and hangs up without a word. Later versions say why, and so does the broker.'
const NO_CRASH =
  'RabbitMQ fails in its own process and says nothing of use, or nothing. The broker refuses what is wrong.'
const NO_OCTETS =
  "The text does not repeat the bytes of a broken frame: the codec, which is the client's too, keeps none."

/** One entry of `x-death`, as transcripts show it. */
const death = (queue: string, reason: string, count: number): string =>
  `F{count=l${count} exchange=S"" queue=S"${queue}" reason=S"${reason}" routing-keys=A[S"${queue}"] time=T<time>}`

const FIRST_DEATH = 'x-first-death-exchange=S"" x-first-death-queue=S"work" x-first-death-reason=S"rejected"'

const LONG_COPY = `a.1 > basic.publish routingKey="nowhere" headers={"CC":["${'k'.repeat(256)}"]} body=""`

/** What died in `work`, waited in two queues, and comes there again. */
const comesAgain = (tag: number, deaths: readonly string[]): string =>
  `a.1 < basic.deliver consumerTag="c" deliveryTag=${tag} redelivered=false exchange="" routingKey="work" {headers={x-death=A[${deaths.join(' ')}] ${FIRST_DEATH}}} "x"`

/** All of them; what is equal but for a name that a broker invents is no difference. */
const INTENDED_DIFFERENCES: readonly IntendedDifference[] = [
  {
    concept: 'handshake',
    titles: ['a greeting in AMQP 0-8'],
    rabbitmq: [
      'a.0 < connection.start version="8.0" mechanisms="AMQPLAIN PLAIN" locales="en_US" capabilities=[]',
    ],
    broker: ['a.0 < protocol header 00000901', 'a.0 < (hung up)'],
    reason: 'It speaks AMQP 0-9-1 alone. RabbitMQ gave 0-8 up in version 4.',
  },
  {
    concept: 'handshake',
    titles: ['tune-ok with a frame-max of 100'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=530 replyText="NOT_ALLOWED - negotiated frame_max = 100 is lower than the minimum allowed value (4096)" classId=10 methodId=31',
      'a.0 < (hung up)',
    ],
    reason: SAYS_WHY,
  },
  {
    concept: 'handshake',
    titles: ['tune-ok with a frame-max of 4095'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=530 replyText="NOT_ALLOWED - negotiated frame_max = 4095 is lower than the minimum allowed value (4096)" classId=10 methodId=31',
      'a.0 < (hung up)',
    ],
    reason: SAYS_WHY,
  },
  {
    concept: 'handshake',
    titles: ['tune-ok with a frame-max beyond the offer'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=530 replyText="NOT_ALLOWED - negotiated frame_max = 131073 is higher than the maximum allowed value (131072)" classId=10 methodId=31',
      'a.0 < (hung up)',
    ],
    reason: SAYS_WHY,
  },
  {
    concept: 'handshake',
    titles: ['tune-ok with no frame-max'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=530 replyText="NOT_ALLOWED - negotiated frame_max = 0 is higher than the maximum allowed value (131072)" classId=10 methodId=31',
      'a.0 < (hung up)',
    ],
    reason: SAYS_WHY,
  },
  {
    concept: 'handshake',
    titles: ['tune-ok with a channel-max beyond the offer'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=530 replyText="NOT_ALLOWED - negotiated channel_max = 2048 is higher than the maximum allowed value (2047)" classId=10 methodId=31',
      'a.0 < (hung up)',
    ],
    reason: SAYS_WHY,
  },
  {
    concept: 'handshake',
    titles: ['tune-ok with no channel-max'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=530 replyText="NOT_ALLOWED - negotiated channel_max = 0 (no limit) is higher than the maximum allowed value (2047)" classId=10 methodId=31',
      'a.0 < (hung up)',
    ],
    reason: SAYS_WHY,
  },
  {
    concept: 'errors of frames',
    titles: ['an unknown class'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=540 replyText="NOT_IMPLEMENTED - unknown method 99.10" classId=99 methodId=10',
      'a.0 < (hung up)',
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'errors of frames',
    titles: ['an unknown method'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=540 replyText="NOT_IMPLEMENTED - unknown method 50.99" classId=50 methodId=99',
      'a.0 < (hung up)',
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'errors of frames',
    titles: ['a frame with a wrong end'],
    rabbitmq: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - type 1, all octets = <<0,60,0,10,0,0,0,0,0,0,0>>: {invalid_frame_end_marker,\\n                                                   207}" classId=0 methodId=0',
    ],
    broker: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - type 1, all octets = <<>>: {invalid_frame_end_marker,207}" classId=0 methodId=0',
    ],
    reason: NO_OCTETS,
  },
  {
    concept: 'errors of frames',
    titles: ['a frame of an unknown type'],
    rabbitmq: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - type 4, all octets = <<\\"x\\">>: unknown_frame" classId=0 methodId=0',
    ],
    broker: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - type 4, all octets = <<>>: unknown_frame" classId=0 methodId=0',
    ],
    reason: NO_OCTETS,
  },
  {
    concept: 'errors of frames',
    titles: ['a heartbeat with a payload'],
    rabbitmq: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - type 8, all octets = <<\\"x\\">>: unknown_frame" classId=0 methodId=0',
    ],
    broker: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - type 8, all octets = <<>>: unknown_frame" classId=0 methodId=0',
    ],
    reason: NO_OCTETS,
  },
  {
    concept: 'errors of frames',
    titles: ['a table with an unknown type'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=502 replyText="SYNTAX_ERROR - malformed field table" classId=50 methodId=10',
      'a.0 < (hung up)',
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'errors of frames',
    titles: ['a table that breaks off in a value'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - cannot decode <<0,0,1,113,0,0,0,0,4,1,120,73,1>>" classId=50 methodId=10',
      'a.0 < (hung up)',
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'errors of frames',
    titles: ['a table with a name longer than itself'],
    rabbitmq: ['a.0 < (hung up)'],
    broker: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - cannot decode <<0,0,1,113,0,0,0,0,2,200,97>>" classId=50 methodId=10',
      'a.0 < (hung up)',
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'errors of frames',
    titles: ['a content header without properties'],
    rabbitmq: ['a.0 < connection.close replyCode=541 replyText="INTERNAL_ERROR" classId=0 methodId=0'],
    broker: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - type 2, all octets = <<0,60,0,0,0,0,0,0,0,0,0,0>>: unknown_frame" classId=0 methodId=0',
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'errors of connections',
    titles: ['a body longer than announced, in 1 frames'],
    rabbitmq: [
      'a.0 < connection.close replyCode=505 replyText="UNEXPECTED_FRAME - expected content body, got non content body frame instead" classId=60 methodId=40',
    ],
    broker: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - content body frame exceeds remaining content size" classId=60 methodId=40',
    ],
    reason:
      'RabbitMQ 3.10 takes any number of bytes more than were announced and goes on waiting (CVE-2026-67235).',
  },
  {
    concept: 'errors of connections',
    titles: ['a body longer than announced, in 2 frames'],
    rabbitmq: [
      'a.0 < connection.close replyCode=505 replyText="UNEXPECTED_FRAME - expected content body, got non content body frame instead" classId=60 methodId=40',
    ],
    broker: [
      'a.0 < connection.close replyCode=501 replyText="FRAME_ERROR - content body frame exceeds remaining content size" classId=60 methodId=40',
    ],
    reason:
      'RabbitMQ 3.10 takes any number of bytes more than were announced and goes on waiting (CVE-2026-67235).',
  },
  {
    concept: 'errors of connections',
    titles: ['a message announced as larger than any may be'],
    rabbitmq: [
      'a.0 < connection.close replyCode=505 replyText="UNEXPECTED_FRAME - expected content body, got non content body frame instead" classId=60 methodId=40',
      'a.0 < (hung up)',
    ],
    broker: [
      'a.1 < channel.close replyCode=406 replyText="PRECONDITION_FAILED - message size 1099511627776 is larger than configured max size 134217728" classId=60 methodId=40',
    ],
    reason: 'RabbitMQ looks at the size when all of the message has come; the broker takes nothing of it.',
  },
  {
    concept: 'queue.declare',
    titles: ['arguments: x-queue-master-locator that is no text'],
    rabbitmq: [
      'a.0 < connection.close replyCode=541 replyText="INTERNAL_ERROR" classId=0 methodId=0',
      'a.0 < (hung up)',
    ],
    broker: [
      `a.1 < channel.close replyCode=406 replyText="PRECONDITION_FAILED - invalid arg 'x-queue-master-locator' for queue 'q' in vhost '/': {unacceptable_type,signedint}" classId=50 methodId=10`,
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'queue.declare',
    titles: ['arguments: x-dead-letter-routing-key of 256 bytes'],
    rabbitmq: ['a.1 < queue.declare-ok queue="q" messageCount=0 consumerCount=0'],
    broker: [
      `a.1 < channel.close replyCode=406 replyText="PRECONDITION_FAILED - invalid arg 'x-dead-letter-routing-key' for queue 'q' in vhost '/': {value_too_long,256}" classId=50 methodId=10`,
    ],
    reason:
      'RabbitMQ takes a key that no frame can carry, and ends the connection of who is given the letter.',
  },
  {
    concept: 'queue.declare',
    titles: ['arguments: a stream with a wrong max-age'],
    rabbitmq: [
      'a.0 < connection.close replyCode=541 replyText="INTERNAL_ERROR" classId=0 methodId=0',
      'a.0 < (hung up)',
    ],
    broker: [
      `a.1 < channel.close replyCode=406 replyText="PRECONDITION_FAILED - invalid arg 'x-max-age' for queue 'q' in vhost '/': invalid_max_age" classId=50 methodId=10`,
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'streams',
    titles: ['consume from an offset that is none'],
    rabbitmq: [
      'a.0 < connection.close replyCode=541 replyText="INTERNAL_ERROR" classId=0 methodId=0',
      'a.0 < (hung up)',
      'a.1 < basic.qos-ok',
    ],
    broker: [
      'a.1 < basic.qos-ok',
      `a.1 < channel.close replyCode=406 replyText="PRECONDITION_FAILED - invalid arg 'x-stream-offset' for queue 'q' in vhost '/': {invalid_stream_offset_arg,{longstr,<<\\"middle\\">>}}" classId=60 methodId=20`,
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'streams',
    titles: ['consume from an offset of a wrong type'],
    rabbitmq: [
      'a.0 < connection.close replyCode=541 replyText="INTERNAL_ERROR" classId=0 methodId=0',
      'a.0 < (hung up)',
      'a.1 < basic.qos-ok',
    ],
    broker: [
      'a.1 < basic.qos-ok',
      `a.1 < channel.close replyCode=406 replyText="PRECONDITION_FAILED - invalid arg 'x-stream-offset' for queue 'q' in vhost '/': {invalid_stream_offset_arg,{bool,true}}" classId=60 methodId=20`,
    ],
    reason: NO_CRASH,
  },
  {
    concept: 'dead letters',
    titles: ['round through three queues, refused in one'],
    rabbitmq: [
      comesAgain(2, [
        death('again', 'expired', 1),
        death('work', 'rejected', 1),
        death('wait', 'expired', 1),
      ]),
      'a.1 > basic.reject deliveryTag=2 requeue=false',
    ],
    broker: [
      comesAgain(2, [
        death('again', 'expired', 1),
        death('wait', 'expired', 1),
        death('work', 'rejected', 1),
      ]),
      'a.1 > basic.reject deliveryTag=2 requeue=false',
      comesAgain(3, [
        death('again', 'expired', 2),
        death('wait', 'expired', 2),
        death('work', 'rejected', 2),
      ]),
    ],
    reason:
      'With each death RabbitMQ 3.10 turns the order of the older ones round, and so takes a message that a client has refused for one that goes round, and drops it.',
  },
  {
    concept: 'single active consumer',
    titles: ['what waits when the active one goes'],
    rabbitmq: [
      'a.2 < basic.cancel-ok consumerTag="first"',
      'a.1 > basic.publish routingKey="q" body="3"',
      'a.3 < basic.cancel consumerTag="next" noWait=true',
    ],
    broker: [
      'a.2 < basic.cancel-ok consumerTag="first"',
      'a.3 < basic.deliver consumerTag="next" deliveryTag=1 redelivered=false exchange="" routingKey="q" {} "2"',
      'a.1 > basic.publish routingKey="q" body="3"',
      'a.3 < basic.deliver consumerTag="next" deliveryTag=2 redelivered=false exchange="" routingKey="q" {} "3"',
    ],
    reason:
      'RabbitMQ 3.10 leaves messages lying for the next consumer, and its queue fails with the next publish.',
  },
  {
    concept: 'errors of channels',
    titles: ['a CC that is longer than a routing key'],
    rabbitmq: [LONG_COPY],
    broker: [
      LONG_COPY,
      `a.1 < channel.close replyCode=406 replyText="PRECONDITION_FAILED - invalid message: a key of 256 bytes in header 'CC', 255 are allowed" classId=60 methodId=40`,
    ],
    reason:
      'No other routing key can be longer than 255 bytes. Those of 100,000 words keep RabbitMQ busy for seconds, in the process of their channel; the broker has one for everybody.',
  },
]

/**
 * What the broker should say where RabbitMQ says `truth`; lines without their indent.
 *
 * @throws {TypeError} where RabbitMQ does not say what a difference is about: then the table is wrong.
 */
export function intended(concept: string, title: string, truth: readonly string[]): readonly string[] {
  let lines = truth.map((line) => line.trim())
  for (const difference of INTENDED_DIFFERENCES) {
    if (difference.concept !== concept || !difference.titles.includes(title)) continue
    const { rabbitmq, broker } = difference
    const at = lines.findIndex((_, index) => rabbitmq.every((line, offset) => lines[index + offset] === line))
    if (at === -1)
      throw new TypeError(
        `RabbitMQ does not say ${JSON.stringify(rabbitmq)}: the table of differences is wrong`,
      )
    lines = [...lines.slice(0, at), ...broker, ...lines.slice(at + rabbitmq.length)]
  }
  return lines
}
