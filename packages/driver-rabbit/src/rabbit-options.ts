import { DEFAULT_COMPRESSIONS } from '@hermod/amqp'
import { ConfigurationError } from '@hermod/kernel'
import type { OsloConf, TransportUrl } from '@hermod/messaging'
import { nearestName } from './nearest-name.ts'
import { inMs, optionValue, valueProblem, type OptionValue } from './option-value.ts'
import { RABBIT_GROUP, RABBIT_OPTIONS, type RabbitOption } from './rabbit-option-table.ts'
import type { RabbitOptions, RabbitSettings } from './rabbit-settings.ts'

/** Where options come from. */
export interface RabbitOptionSources {
  /** Its query; values there count before all others. */
  readonly url?: TransportUrl | undefined
  /** The program's. */
  readonly options?: RabbitOptions | undefined
  /** Its group `[oslo_messaging_rabbit]`; what is neither in the URL nor set by the program. */
  readonly conf?: OsloConf | undefined
}

/** What {@link readRabbitOptions} found. */
export interface ReadRabbitOptions {
  readonly settings: RabbitSettings
  /** Options that are set and do nothing here, and why, a sentence each. */
  readonly notes: readonly string[]
}

/**
 * Reads the driver's options: those of the URL's query before those of the program before those of the conf file
 * before the defaults, which are oslo.messaging's own.
 *
 * A blank value counts as not set. Names that the conf file's group has and oslo.messaging does not are left alone, as
 * oslo.config leaves them; in the URL and from the program they are errors.
 *
 * @throws {ConfigurationError} E_CONFIG with everything that is wrong: unknown names (and what was meant), values of the
 *   wrong type or out of range, and options that exclude each other.
 * @source oslo.messaging _drivers/common.py ConfigOptsProxy
 */
export function readRabbitOptions(sources: RabbitOptionSources): ReadRabbitOptions {
  const issues: string[] = []
  const values: Record<string, OptionValue> = {}
  const notes: string[] = []
  const written = { ...sources.url?.query }
  const given: Record<string, unknown> = { ...sources.options }
  for (const option of RABBIT_OPTIONS) {
    const value = valueOf(option, written, given, sources.conf, issues)
    const fallback =
      typeof option.defaultValue === 'number' ? inMs(option, option.defaultValue) : option.defaultValue
    if (option.field !== undefined) values[option.field] = value ?? fallback
    else if (value !== undefined && value !== fallback)
      notes.push(`the option '${option.name}' does nothing here: ${option.note}`)
  }
  for (const name of Object.keys(written)) issues.push(unknownInUrl(name))
  for (const name of Object.keys(given)) issues.push(unknownInProgram(name))
  // Every field of the settings is in the table, which its type holds.
  const settings = values as unknown as RabbitSettings
  if (issues.length === 0) issues.push(...contradictions(settings))
  if (issues.length > 0) throw new ConfigurationError(issues)
  return { settings: Object.freeze(settings), notes }
}

/** Takes the option's names out of `written` and `given`: what is left there at the end is unknown. */
function valueOf(
  option: RabbitOption,
  written: Record<string, string>,
  given: Record<string, unknown>,
  conf: OsloConf | undefined,
  issues: string[],
): OptionValue {
  const { field, name, formerNames = [] } = option
  const fromProgram = field === undefined ? undefined : given[field]
  if (field !== undefined) delete given[field]
  const names = [name, ...formerNames] as const
  const key = names.find((candidate) => written[candidate] !== undefined)
  const fromUrl = key === undefined ? undefined : written[key]
  for (const candidate of names) delete written[candidate]
  try {
    if (fromUrl !== undefined && fromUrl !== '') {
      return optionValue(option, fromUrl, (problem) => {
        throw new ConfigurationError([`option '${key}' in the transport URL ${problem}`])
      })
    }
    if (fromProgram !== undefined) {
      const problem = valueProblem(option, fromProgram)
      if (problem !== undefined) throw new ConfigurationError([`option '${field}' ${problem}`])
      return fromProgram as OptionValue
    }
    const blankOr = (value: string, fail: (problem: string) => never): OptionValue =>
      value.trim() === '' ? undefined : optionValue(option, value, fail)
    return conf?.getAs(blankOr, RABBIT_GROUP, ...names)
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error
    issues.push(...error.issues)
    return undefined
  }
}

function unknownInUrl(name: string): string {
  const ours = RABBIT_OPTIONS.find(({ field }) => field === name)?.name
  const meant =
    ours ??
    nearestName(
      name,
      RABBIT_OPTIONS.map((option) => option.name),
    )
  return `the transport URL has an unknown option '${name.slice(0, 64)}'${suggestion(meant)}`
}

function unknownInProgram(name: string): string {
  const fields = RABBIT_OPTIONS.flatMap(({ field }) => field ?? [])
  const theirs = RABBIT_OPTIONS.find((option) => option.name === name)?.field
  return `there is no option '${name.slice(0, 64)}'${suggestion(theirs ?? nearestName(name, fields))}`
}

function suggestion(name: string | undefined): string {
  return name === undefined ? '' : `; did you mean '${name}'?`
}

/**
 * What a broker or oslo.messaging refuses, told before anything is declared.
 * @source oslo.messaging _drivers/impl_rabbit.py _get_queue_arguments, Connection.__init__; RabbitMQ quorum queues:
 *   auto-delete is not supported
 */
function contradictions(settings: RabbitSettings): string[] {
  const { haQueues, quorumQueues, transientQuorumQueues, streamFanout, autoDeleteQueues } = settings
  const found: string[] = []
  if (haQueues && (quorumQueues || transientQuorumQueues)) {
    const quorum = quorumQueues ? 'rabbit_quorum_queue' : 'rabbit_transient_quorum_queue'
    found.push(
      `rabbit_ha_queues and ${quorum} exclude each other; quorum queues are replicated by themselves`,
    )
  }
  if (autoDeleteQueues && quorumQueues)
    found.push(
      'amqp_auto_delete and rabbit_quorum_queue exclude each other; a quorum queue outlives its consumers',
    )
  if (streamFanout && settings.prefetchCount <= 0)
    found.push(
      'rabbit_stream_fanout needs rabbit_qos_prefetch_count above 0; a stream is read in such portions',
    )
  if (streamFanout && !transientQuorumQueues)
    found.push('rabbit_stream_fanout needs rabbit_transient_quorum_queue')
  const { compression } = settings
  if (compression !== undefined && DEFAULT_COMPRESSIONS.find(compression) === undefined) {
    const names = DEFAULT_COMPRESSIONS.names.join(', ')
    found.push(`kombu_compression is '${compression.slice(0, 64)}'; it can be ${names}`)
  }
  if (settings.loginMethod === 'RABBIT-CR-DEMO')
    found.push('rabbit_login_method RABBIT-CR-DEMO is a demonstration; use AMQPLAIN, PLAIN or EXTERNAL')
  return found
}
