/** Whom a request is for. */
export interface TargetArgument {
  readonly topic: string
  /** Undefined: any server of the topic. */
  readonly server: string | undefined
}

/** Routing keys hold no more; the server's name is part of one. @source AMQP 0-9-1 §4.2.5.3 */
const LONGEST = 255

/**
 * Reads `TOPIC` or `TOPIC@SERVER`. The last `@` counts, for topics may hold some (`cinder-volume.rig@rig`); with nothing
 * behind it, it ends a topic that holds others. The problems go to `issues`.
 *
 * @param server given otherwise: then the text is all topic.
 */
export function targetOf(text: string, server: string | undefined, issues: string[]): TargetArgument {
  const at = server === undefined ? text.lastIndexOf('@') : -1
  const topic = at < 0 ? text : text.slice(0, at)
  const named = at < 0 ? server : text.slice(at + 1) || undefined
  if (topic === '') issues.push(`the target '${text}' has no topic; write TOPIC or TOPIC@SERVER`)
  // A URL may hold a password, and is no target anyway.
  else if (topic.includes('://')) issues.push('the target looks like a URL; give the broker with --url')
  else if (Buffer.byteLength(`${topic}.${named ?? ''}`) > LONGEST)
    issues.push(`the target is longer than ${LONGEST} bytes, more than a routing key can hold`)
  if (server === '') issues.push('--server is empty; leave it out for any server of the topic')
  return { topic, server: named }
}

/** The target as it is written on the command line. */
export function targetText({ topic, server }: TargetArgument): string {
  if (server !== undefined) return `${topic}@${server}`
  return topic.includes('@') ? `${topic}@` : topic
}
