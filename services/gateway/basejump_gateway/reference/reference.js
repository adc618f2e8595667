// Draws the reference from /api/openapi.json and tries calls out. Everything is set as text, nothing as markup.
"use strict";

let api;
const CREDENTIALS = { clientSecret: "client secret", refreshToken: "refresh token", accessToken: "access token" };

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children.filter((child) => child !== null));
  return made;
}

// Text with `code` in it and paragraphs.
function prose(text) {
  return text.trim().split(/\n\n/).map((paragraph) => {
    const parts = paragraph.split("`");
    return element("p", {}, ...parts.map((part, i) => (i % 2 ? element("code", {}, part) : part)));
  });
}

function resolve(schema) {
  return schema.$ref ? api.components.schemas[schema.$ref.split("/").pop()] : schema;
}

function typeOf(schema) {
  const name = schema.$ref ? schema.$ref.split("/").pop() : null;
  const found = resolve(schema);
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (found.anyOf) return found.anyOf.map(typeOf).join(" | ");
  if (found.type === "array") return `[${found.items ? typeOf(found.items) : "any"}, …]`;
  if (name) return name;
  if (found.type === "object" && found.additionalProperties) return `{text: ${typeOf(found.additionalProperties)}}`;
  return [found.type ?? "any", found.format ? ` (${found.format})` : ""].join("");
}

function bounds(schema) {
  const found = resolve(schema);
  const words = {
    minLength: "at least", maxLength: "at most", minimum: "from", maximum: "to", minItems: "at least", maxItems: "at most",
    pattern: "matching",
  };
  const said = Object.keys(words).filter((key) => key in found).map((key) => `${words[key]} ${found[key]}`);
  if ("default" in found && found.default !== null) said.push(`default ${JSON.stringify(found.default)}`);
  return said.join(", ");
}

function row(name, schema, required, description = "") {
  const detail = [typeOf(schema), bounds(schema)].filter(Boolean).join(", ");
  return element("tr", {},
    element("td", {}, element("code", {}, name), required ? element("span", { class: "quiet" }, " required") : null),
    element("td", {}, element("span", {}, detail), ...(description ? prose(description) : [])));
}

function fields(schema) {
  const found = resolve(schema);
  const required = found.required ?? [];
  return element("table", {},
    ...Object.entries(found.properties ?? {}).map(([name, inner]) => row(name, inner, required.includes(name))));
}

// The structs that a schema mentions, each once, behind a fold.
function mentioned(schema, seen = new Set()) {
  if (schema.$ref) {
    if (seen.has(schema.$ref)) return seen;
    seen.add(schema.$ref);
  }
  const found = resolve(schema);
  const inner = [...Object.values(found.properties ?? {}), ...(found.anyOf ?? [])];
  if (found.items) inner.push(found.items);
  inner.forEach((part) => mentioned(part, seen));
  return seen;
}

function nested(schema) {
  const references = [...mentioned(schema)].filter((reference) => reference !== schema.$ref);
  return references.filter((reference) => resolve({ $ref: reference }).properties).map((reference) =>
    element("details", {}, element("summary", {}, reference.split("/").pop()), fields({ $ref: reference })));
}

// What a request or an answer carries, whatever its media type: the first of them.
function carried(holder) {
  return Object.values(holder?.content ?? {})[0] ?? {};
}

function headersFor(call) {
  const wanted = call.security.flatMap((scheme) => Object.keys(scheme));
  const given = wanted.map((name) => [name, document.getElementById(name).value]).find(([, value]) => value);
  if (!given) return {};
  return given[0] === "clientSecret" ? { "client-secret": given[1] } : { Authorization: `Bearer ${given[1]}` };
}

function requestOf(method, path, call, form) {
  const query = new URLSearchParams();
  const headers = headersFor(call);
  let url = path;
  for (const parameter of call.parameters) {
    const value = form.elements[parameter.name].value;
    if (parameter.in === "path") url = url.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value && parameter.in === "header") headers[parameter.name] = value;
    else if (value) query.append(parameter.name, value);
  }
  const body = form.elements.body?.value;
  if (body) headers["Content-Type"] = "application/json";
  return [query.size ? `${url}?${query}` : url, { method, headers, body: body || undefined }];
}

// Text as it comes: a stream has no end of its own, and a download may be long.
async function read(response, told) {
  if (!/json|text/.test(response.headers.get("content-type"))) return told(`${(await response.blob()).size} bytes`);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (let part = await reader.read(); !part.done && text.length < 200000; part = await reader.read()) {
    text += part.value;
    told(text);
  }
  await reader.cancel();
  try {
    const answer = JSON.parse(text);
    keep(answer);
    told(JSON.stringify(answer, null, 2));
  } catch { /* not JSON: as it is */ }
}

// Tokens that were asked for are the ones to go on with.
function keep(answer) {
  if (answer.refresh_token) document.getElementById("refreshToken").value = answer.refresh_token;
  if (answer.access_token) document.getElementById("accessToken").value = answer.access_token;
}

async function send(request, shown, signal) {
  const started = performance.now();
  shown.textContent = "…";
  try {
    const response = await fetch(request[0], { ...request[1], signal });
    const ms = Math.round(performance.now() - started);
    const head = `${response.status} in ${ms} ms, X-Request-Id ${response.headers.get("x-request-id")}\n\n`;
    shown.textContent = head;
    await read(response, (text) => { shown.textContent = head + text; });
  } catch (error) {
    shown.append(signal.aborted ? "\n\nstopped" : String(error));
  }
}

function tryOut(method, path, call) {
  const body = call.requestBody && carried(call.requestBody).example;
  const shown = element("pre", { hidden: "" });
  const stop = element("button", { type: "button", hidden: "" }, "Stop");
  const form = element("form", {},
    ...call.parameters.map((parameter) =>
      element("label", {}, `${parameter.name} (${parameter.in})`, element("input", { name: parameter.name }))),
    call.requestBody
      ? element("label", {}, "body", element("textarea", { name: "body" }, JSON.stringify(body ?? {}, null, 2)))
      : null,
    element("button", {}, "Send"), " ", stop, shown);
  let sending = new AbortController();
  stop.addEventListener("click", () => sending.abort());
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    sending.abort();
    const mine = sending = new AbortController();
    shown.hidden = stop.hidden = false;
    await send(requestOf(method.toUpperCase(), path, call, form), shown, mine.signal);
    stop.hidden = mine === sending;
  });
  return element("details", {}, element("summary", {}, "Try it"), form);
}

function shownExample({ example }) {
  if (example === undefined) return null;
  const text = typeof example === "string" ? example : JSON.stringify(example, null, 2);
  return element("details", {}, element("summary", {}, "Example"), element("pre", {}, text));
}

function answers(call) {
  const success = call.responses["200"];
  const { schema } = carried(success);
  const errors = Object.entries(call.responses).filter(([status]) => status !== "200");
  const kinds = Object.keys(success.content).filter((kind) => kind !== "application/json");
  return [
    element("h4", {}, kinds.length ? `Answer (${Object.keys(success.content).join(" or ")})` : "Answer"),
    ...prose(success.description), fields(schema), ...nested(schema), shownExample(carried(success)),
    element("details", {}, element("summary", {}, "Errors"),
      element("table", {}, ...errors.map(([status, response]) =>
        element("tr", {}, element("td", {}, status), element("td", {}, ...prose(described(response))))))),
  ];
}

function described(response) {
  return response.$ref ? api.components.responses[response.$ref.split("/").pop()].description : response.description;
}

function drawCall(method, path, call) {
  const body = carried(call.requestBody);
  const credentials = call.security.flatMap((scheme) => Object.keys(scheme)).map((name) => CREDENTIALS[name]);
  return element("article", { id: call.operationId },
    element("h3", {}, call.summary),
    element("p", { class: "path" },
      element("a", { href: `#${call.operationId}`, class: `method ${method}` }, method.toUpperCase()), path),
    ...prose(call.description),
    element("p", { class: "quiet" }, credentials.length ? `Credential: ${credentials.join(" or ")}` : "Public"),
    call.parameters.length ? element("h4", {}, "Parameters") : null,
    element("table", {}, ...call.parameters.map((parameter) =>
      row(`${parameter.name} (${parameter.in})`, parameter.schema, parameter.required, parameter.description))),
    ...(body.schema ? [element("h4", {}, "Body"), fields(body.schema), ...nested(body.schema), shownExample(body)] : []),
    ...answers(call), tryOut(method, path, call));
}

function draw() {
  document.getElementById("introduction").append(...prose(api.info.description));
  const contents = document.getElementById("contents");
  const calls = document.getElementById("calls");
  for (const tag of api.tags) {
    contents.append(element("h2", {}, tag.name));
    calls.append(element("h2", {}, tag.name), ...prose(tag.description));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, call] of Object.entries(methods).filter(([, found]) => found.tags.includes(tag.name))) {
        contents.append(element("a", { href: `#${call.operationId}`, "data-text": `${call.summary} ${path}`.toLowerCase() },
          call.summary));
        calls.append(drawCall(method, path, call));
      }
    }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

document.getElementById("filter").addEventListener("input", ({ target }) => {
  for (const link of document.querySelectorAll("#contents a")) {
    link.hidden = !link.dataset.text.includes(target.value.toLowerCase());
  }
});

fetch("/api/openapi.json").then((response) => response.json()).then((found) => {
  api = found;
  draw();
}).catch((error) => document.getElementById("introduction").append(`The reference can't be shown: ${error}`));
