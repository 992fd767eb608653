import { Gauge, type Registry } from 'prom-client';

/** Which device this is, read when Prometheus asks. */
export function addDeviceMetrics(registry: Registry, device: { readonly name: string | null; readonly uuid: string | null }): void {
  new Gauge({
    name: 'update_lock_device_info',
    help: 'Always 1; its labels are the name and the id of the device, empty where they are not known.',
    registers: [registry],
    labelNames: ['name', 'uuid'],
    collect() {
      // The device may have been renamed.
      this.reset();
      this.set({ name: device.name ?? '', uuid: device.uuid ?? '' }, 1);
    },
  });
}
