/** Sent with every answer, names and values by turns: nothing of ours is for a cache, a frame or another site. */
export const SECURITY_HEADERS = securityHeaders("default-src 'none'; frame-ancestors 'none'");

export function securityHeaders(contentSecurityPolicy: string): readonly string[] {
  return [
    'Cache-Control',
    'no-store',
    'Content-Security-Policy',
    contentSecurityPolicy,
    'Cross-Origin-Resource-Policy',
    'same-origin',
    'Referrer-Policy',
    'no-referrer',
    'X-Content-Type-Options',
    'nosniff',
  ];
}
