export type ProbeEvent =
  /** It has answered otherwise than before, or for the first time. */
  | { readonly type: 'probe-turned'; readonly probe: string; readonly isBusy: boolean }
  /** It cannot be asked, since now. */
  | { readonly type: 'probe-missed'; readonly probe: string; readonly problem: string }
  | { readonly type: 'probe-reached'; readonly probe: string }
  /** Each time. */
  | { readonly type: 'probe-asked'; readonly probe: string; readonly result: string };
