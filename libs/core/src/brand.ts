declare const brand: unique symbol;

/** A `T` that cannot be mixed up with another `T`: two ids of different kinds are different types at compile time. */
export type Brand<T, Name extends string> = T & { readonly [brand]: Name };
