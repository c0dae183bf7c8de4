import type { Tap, TapStatus } from '@hermod/events'
import { eventually } from '@hermod/testkit'

type Said<Type extends TapStatus['type']> = Extract<TapStatus, { readonly type: Type }>

/** Everything that a tap reports, in order. */
export class TapLog {
  readonly statuses: TapStatus[] = []

  constructor(tap: Tap) {
    tap.onStatus((status) => this.statuses.push(status))
  }

  /** What was reported of one type. */
  of<Type extends TapStatus['type']>(type: Type): Said<Type>[] {
    return this.statuses.filter((status): status is Said<Type> => status.type === type)
  }

  /** Resolves with the first report of this type, from the `from`th of them on. */
  async saying<Type extends TapStatus['type']>(type: Type, from = 0): Promise<Said<Type>> {
    return eventually(() => this.of(type)[from] ?? false, { timeoutMs: 20_000 })
  }
}
