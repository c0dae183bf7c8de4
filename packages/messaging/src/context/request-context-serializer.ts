import type { JsonObject } from '@hermod/kernel'
import type { PayloadSerializer } from '../payload-serializer.ts'
import { RequestContext } from './request-context.ts'

/** Lets programs work with a {@link RequestContext} where the wire has its members; arguments and payloads stay as they are. */
export const requestContextSerializer: PayloadSerializer<RequestContext> = Object.freeze({
  serializeEntity: (_: RequestContext, entity: unknown) => entity,
  deserializeEntity: (_: RequestContext, entity: unknown) => entity,
  serializeContext: (context: RequestContext) => context.toWire(),
  deserializeContext: (context: JsonObject) => RequestContext.fromWire(context),
})
