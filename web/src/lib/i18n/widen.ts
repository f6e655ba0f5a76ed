/** Widens the Korean texts to "some text", so that another language must have the same keys and parameters. */
export type Widen<T> = T extends string
  ? string
  : T extends (...parameters: infer Parameters) => string
    ? (...parameters: Parameters) => string
    : { [Key in keyof T]: Widen<T[Key]> };
