/** prom-client can only be asked for all of its default metrics at once; these are the same ones, one by one. */
declare module 'prom-client/lib/metrics/*' {
  import type { Registry } from 'prom-client';
  const addTo: (registry: Registry) => void;
  export default addTo;
}
