import { deliverToAll } from './deliver-to-all.ts'
import type { NotificationDriver, NotificationEmission } from './notification-driver.ts'
import type { NotificationRoutes } from './notification-routes.ts'

/**
 * Passes each notification on to the drivers that its routes choose; one that no route is for goes nowhere.
 * @source oslo.messaging notify/_impl_routing.py RoutingDriver
 */
export class RoutingNotificationDriver implements NotificationDriver {
  readonly name = 'routing'
  readonly #routes: NotificationRoutes
  readonly #drivers: ReadonlyMap<string, NotificationDriver>

  /** @param drivers all that the routes name. */
  constructor(routes: NotificationRoutes, drivers: ReadonlyMap<string, NotificationDriver>) {
    this.#routes = routes
    this.#drivers = drivers
  }

  notify(emission: NotificationEmission): Promise<void> {
    const chosen = this.#routes.driversFor(emission.message.event_type, emission.priority)
    return deliverToAll(
      chosen.map((name) => ({
        place: `driver '${name}'`,
        send: () => this.#drivers.get(name)!.notify(emission),
      })),
      emission.signal,
    )
  }
}
