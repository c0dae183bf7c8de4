import { Controller } from '@nestjs/common'
import { EventPattern, MessagePattern, Payload } from '@nestjs/microservices'

/** The code under test: a service that is told of orders, and asked what is left. */
@Controller()
export class StockController {
  readonly #left = new Map([['apple', 10]])

  @EventPattern('order.placed')
  take(@Payload() order: { fruit: string; count: number }): void {
    this.#left.set(order.fruit, (this.#left.get(order.fruit) ?? 0) - order.count)
  }

  @MessagePattern('stock')
  count(@Payload() fruit: string): number {
    return this.#left.get(fruit) ?? 0
  }
}
