/** A set whose members can also be picked by index: add, remove and pick cost the same however many there are. */
export class Bag<T> {
  private readonly list: T[] = [];
  private readonly places = new Map<T, number>();

  /** In no promised order, but the same after the same calls. */
  get items(): readonly T[] {
    return this.list;
  }

  add(item: T): void {
    if (this.places.has(item)) return;
    this.places.set(item, this.list.length);
    this.list.push(item);
  }

  has(item: T): boolean {
    return this.places.has(item);
  }

  delete(item: T): void {
    const place = this.places.get(item);
    if (place === undefined) return;
    const last = this.list.pop() as T;
    if (last !== item) {
      this.list[place] = last;
      this.places.set(last, place);
    }
    this.places.delete(item);
  }
}
