/**
 * The time of a notification as Python writes it: UTC without a zone, with six digits of a second. Python leaves the
 * fraction out when it is zero; here it always stands, for readers that expect it.
 *
 * @param nowMs milliseconds since 1970.
 * @source oslo.messaging notify/notifier.py, `str(timeutils.utcnow())`
 */
export function notificationTimestamp(nowMs: number): string {
  const text = new Date(nowMs).toISOString()
  return `${text.slice(0, 10)} ${text.slice(11, 23)}000`
}
