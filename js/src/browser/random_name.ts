/** A name that nothing else on the page or at the kernel has. `crypto.randomUUID` is missing on plain-http servers. */
export const randomName = () =>
  Array.from(crypto.getRandomValues(new Uint32Array(2)), (number) => number.toString(36)).join("");
