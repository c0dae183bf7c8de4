/*
 * How RabbitMQ's texts name things (rabbit_misc:rs/1). All arguments are byte strings.
 */
export const queueName = (name: string, virtualHost: string): string =>
  `queue '${name}' in vhost '${virtualHost}'`
export const exchangeName = (name: string, virtualHost: string): string =>
  `exchange '${name}' in vhost '${virtualHost}'`

/** Line breaks in names are dropped, not refused. @source rabbit_channel:strip_cr_lf */
export const withoutLineBreaks = (name: string): string => name.replaceAll(/[\r\n]/g, '')
