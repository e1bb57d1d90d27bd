/** The page on which a browser shows its token. @param problem why the last attempt did not pass. */
export function loginPage(problem: string | null): string {
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>IMart operators</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f4f5f7; color: #1c2430 }
form { background: #fff; padding: 2rem; border-radius: 8px; box-shadow: 0 1px 6px rgba(0, 0, 0, .15); width: 20rem; display: grid; gap: .75rem }
h1 { font-size: 1.1rem; margin: 0 }
input, button { font: inherit; padding: .5rem .75rem; border-radius: 4px; border: 1px solid #9aa4b2 }
button { background: #1f4fd1; color: #fff; border-color: #1f4fd1; cursor: pointer }
.problem { color: #b00020; margin: 0 }
</style>
</head>
<body>
<form method="post" action="/ops/login">
<h1>IMart operators</h1>
<label for="token">Token (the API's OPS_TOKEN)</label>
<input id="token" name="token" type="password" autocomplete="current-password" required autofocus>
${problem === null ? '' : `<p class="problem" role="alert">${escapeHtml(problem)}</p>\n`}<button type="submit">Log in</button>
</form>
</body>
</html>
`;
}

/** Text as it may stand in HTML, attributes included. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
