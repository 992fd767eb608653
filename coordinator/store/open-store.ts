import type { StoreSettings } from '../config/config';
import type { Store } from './store';

/** Opens the store of the settings, and loads only that one. */
export async function openStore(settings: StoreSettings, wallMs: () => number): Promise<Store> {
  switch (settings.kind) {
    case 'file': {
      const { FileStore } = await import('./file/file-store');
      return FileStore.open(settings.folder, wallMs);
    }
    case 'etcd': {
      const { EtcdStore } = await import('./etcd/etcd-store');
      return new EtcdStore(settings, wallMs);
    }
  }
}
