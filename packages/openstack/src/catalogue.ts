import { createRequire } from 'node:module'

/** One event type of a service. */
export interface CatalogueEvent {
  /** `<word>` in it stands for any text without a dot. */
  readonly type: string
  /** Upper case, as on the wire. */
  readonly priority?: string | readonly string[]
  readonly publisher_id?: string
  /** The name of the payload's shape, a key of {@link CatalogueService.payloads}. */
  readonly payload?: string
  /** The payload's version where it is versioned. */
  readonly version?: string
  /** The payload's keys; `?` after one means that it is not always there. */
  readonly keys?: readonly string[]
  readonly extra_keys?: readonly string[]
  readonly notes?: string
  /** Whether the type holds a placeholder. */
  readonly pattern?: boolean
}

/** What one service sends in one format. */
export interface CatalogueService {
  readonly service: string
  readonly format: string
  /** The default exchange, null for a service without one; prose where there is no single one. */
  readonly exchange: string | null
  readonly topics?: readonly string[]
  readonly publisher_id?: readonly (string | null)[]
  readonly payloads?: Readonly<
    Record<string, { readonly version?: string; readonly keys?: readonly string[]; readonly notes?: string }>
  >
  readonly events: readonly CatalogueEvent[]
  /** Neutron's other resources: each is created, updated and deleted with a start and an end. */
  readonly resources_from_api_definitions?: readonly string[]
}

/** The whole catalogue. */
export interface Catalogue {
  /** The day it was made, `YYYY-MM-DD`. */
  readonly generated: string
  readonly services: readonly CatalogueService[]
}

/** An event type and the service and format to which it belongs. */
export interface CatalogueEntry {
  readonly service: CatalogueService
  readonly event: CatalogueEvent
}

interface Index {
  readonly named: ReadonlyMap<string, readonly CatalogueEntry[]>
  readonly patterns: readonly (readonly [matcher: RegExp, entry: CatalogueEntry])[]
}

let catalogue: Catalogue | undefined
let index: Index | undefined

/** The catalogue of what services send. It is read at the first call, for it is large, and kept. */
export function loadCatalogue(): Catalogue {
  catalogue ??= createRequire(import.meta.url)('../data/event-catalogue.json') as Catalogue
  return catalogue
}

/**
 * What the catalogue says about an event type: the services and formats that send it, those that name it before
 * those with a placeholder for it. Empty for a type nobody knows.
 *
 * A type that is a placeholder altogether (nova names some by a Python function) is never found: it would match
 * everything.
 */
export function findEvents(eventType: string): readonly CatalogueEntry[] {
  index ??= indexOf(loadCatalogue())
  const fitting = index.patterns.filter(([matcher]) => matcher.test(eventType)).map(([, entry]) => entry)
  return [...(index.named.get(eventType) ?? []), ...fitting]
}

function indexOf({ services }: Catalogue): Index {
  const named = new Map<string, CatalogueEntry[]>()
  const patterns: [RegExp, CatalogueEntry][] = []
  for (const service of services) {
    for (const event of [...service.events, ...resourceEvents(service)]) {
      const entry = { service, event }
      if (!event.type.includes('<')) named.set(event.type, [...(named.get(event.type) ?? []), entry])
      else if (!event.type.startsWith('<')) patterns.push([matcherOf(event.type), entry])
    }
  }
  return { named, patterns }
}

/** @source neutron pecan_wsgi/hooks/notifier.py: the same six types for every resource of its API */
function resourceEvents({
  resources_from_api_definitions: resources = [],
}: CatalogueService): CatalogueEvent[] {
  return resources.flatMap((resource) =>
    ['create', 'update', 'delete'].flatMap((verb) =>
      ['start', 'end'].map((phase) => ({ type: `${resource}.${verb}.${phase}`, priority: 'INFO' })),
    ),
  )
}

function matcherOf(type: string): RegExp {
  const parts = type.split(/<[^>]*>/).map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`))
  return new RegExp(`^${parts.join('[^.]+')}$`)
}
