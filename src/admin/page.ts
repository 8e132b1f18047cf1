const LINKS: readonly (readonly [path: string, what: string])[] = [
  ['/api/v1/requests', 'finished requests, newest first'],
  ['/api/v1/usage?by=team,model', 'tokens and cost by team and model'],
  ['/api/v1/providers', 'configured providers'],
  ['/api/v1/models', 'configured models'],
  ['/api/v1/limits', 'state of every counter'],
  ['/api/v1/exporters', 'what was told to billing systems, and what waits'],
  ['/api/v1/alerts', 'alerts that wait'],
  ['/api/v1/ledger/disagreements', "differences between Envoy's log and the ledger"],
  ['/api/v1/keys', 'keys, without secrets'],
  ['/api/v1/config', 'effective configuration, secrets masked'],
  ['/api/v1/ledger/verify', 'reads the ledger again'],
  ['/api/v1/events', 'finished requests, live'],
  ['/api/openapi.json', 'description of this API'],
  ['/metrics', 'Prometheus'],
  ['/readyz', 'ready, and why not'],
  ['/livez', 'alive'],
];

/** The page at `/`: no data in it, all figures come from the API with the caller's token. */
export function pageHtml(): string {
  const links = LINKS.map(([path, what]) => `<li><a href="${path}"><code>${path}</code></a> <span>${what}</span></li>`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Tollgate</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/page.css">
<script src="/page.js" defer></script>
</head>
<body>
<header>
<h1>Tollgate</h1>
<p id="state" role="status">…</p>
</header>
<main>
<p id="gateway"></p>
<form id="token-form" hidden>
<label for="token">Admin token</label>
<input id="token" type="password" autocomplete="off" required>
<button>Show figures</button>
</form>
<p id="problem" role="alert" hidden></p>
<div class="heading">
<h2>Spending</h2>
<p class="periods" role="group" aria-label="Period"><button type="button" id="hours" aria-pressed="true">24 hours</button><button type="button" id="days" aria-pressed="false">14 days</button></p>
</div>
<section aria-label="Totals" class="tiles">
<div><b id="requests">–</b><span>requests</span></div>
<div><b id="errors">–</b><span>errors</span></div>
<div><b id="tokens">–</b><span>tokens</span></div>
<div><b id="cost">–</b><span>cost</span></div>
</section>
<figure>
<p id="chart-most"></p>
<svg id="chart" role="img" viewBox="0 0 240 100" preserveAspectRatio="none"></svg>
<figcaption><span id="chart-from"></span><span id="chart-to"></span></figcaption>
</figure>
<section id="limits-part" hidden>
<h2>Limits <small>the fullest first</small></h2>
<div class="scroll"><table>
<thead><tr><th>Limit</th><th>Counts</th><th>For</th><th>Share</th><th class="n">Used</th><th class="n">Running</th><th class="n">Most</th><th>Resets</th></tr></thead>
<tbody id="limits"></tbody>
</table></div>
</section>
<h2>By key</h2>
<div class="scroll"><table>
<thead><tr><th>Key</th><th class="n">Requests</th><th class="n">Errors</th><th class="n">Tokens</th><th class="n">Cost</th></tr></thead>
<tbody id="keys"></tbody>
</table></div>
<h2>By model</h2>
<div class="scroll"><table>
<thead><tr><th>Model</th><th class="n">Requests</th><th class="n">Errors</th><th class="n">Input</th><th class="n">Output</th><th class="n">Cost</th></tr></thead>
<tbody id="models"></tbody>
</table></div>
<section id="deliveries-part" hidden>
<h2>Told to others</h2>
<div class="scroll"><table>
<thead><tr><th>Exporter</th><th class="n">Waiting</th><th class="n">Oldest</th><th class="n">Sent</th><th class="n">Refused or lost</th><th>Last trouble</th></tr></thead>
<tbody id="deliveries"></tbody>
</table></div>
</section>
<h2>Last requests <small id="live"></small></h2>
<div class="scroll"><table>
<thead><tr><th>Time</th><th>Key</th><th>Asked</th><th>Served by</th><th class="n">Status</th><th class="n">Time taken</th><th class="n">Tokens</th><th class="n">Cost</th></tr></thead>
<tbody id="last"></tbody>
</table></div>
<h2>What is here</h2>
<ul class="links">
${links.join('\n')}
</ul>
</main>
</body>
</html>
`;
}
