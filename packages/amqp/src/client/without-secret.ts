import { MASK } from '@hermod/kernel'

/** A broker could repeat the password or token that it was given, and its words end up in logs. */
export function withoutSecret(text: string, secret: string): string {
  return secret === '' ? text : text.replaceAll(secret, MASK)
}
