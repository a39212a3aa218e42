// The OpenAPI description of Signet, and checks of answers against it.

import assert from "node:assert/strict";
import { isIPv6 } from "node:net";
import { Ajv2020 } from "ajv/dist/2020.js";

const METHODS = ["get", "put", "post", "delete", "patch"];

/** Reads the description that Signet serves. */
export async function readDescription(signet) {
  return new Description(await (await signet.fetch("/openapi.json")).json());
}

/** A description. Its `operations` are `{ method, path, responses, bodies }`, with every reference but those of schemas resolved. */
export class Description {
  #document;
  #ajv;
  #seen = new Set();

  constructor(document) {
    this.#document = document;
    this.#ajv = new Ajv2020({
      strictTypes: false,
      allErrors: true,
      formats: { uri: (text) => URL.canParse(text), ipv6: isIPv6 },
    });
    this.#ajv.addVocabulary(Object.keys(document));
    this.#ajv.addSchema(document, "description");
    this.operations = Object.entries(document.paths).flatMap(([path, item]) =>
      METHODS.filter((method) => method in item).map((method) => this.#operation(method, path, item[method])),
    );
  }

  #operation(method, path, { responses, requestBody }) {
    return {
      method: method.toUpperCase(),
      path,
      bodies: this.#resolved(requestBody ?? {}).content ?? {},
      responses: Object.fromEntries(
        Object.entries(responses).map(([status, response]) => [status, this.#resolved(response)]),
      ),
    };
  }

  /** What `$ref` names, with all that is named in it but schemas. */
  #resolved(value) {
    if (typeof value !== "object" || value === null) return value;
    if ("$ref" in value) {
      if (value.$ref.startsWith("#/components/schemas/")) return value;
      return this.#resolved(
        value.$ref
          .slice(2)
          .split("/")
          .reduce((at, key) => at[key], this.#document),
      );
    }
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, this.#resolved(inner)]));
  }

  /** The operation of a request, if it is described. */
  find(method, target) {
    const segments = target.split("?")[0].split("/");
    const fits = (template) =>
      template.length === segments.length && template.every((name, n) => name.startsWith("{") || name === segments[n]);
    return this.operations.find((operation) => operation.method === method && fits(operation.path.split("/")));
  }

  /** The example that comes with a schema, if there is one. */
  example(schema) {
    return this.#named(schema)?.examples?.[0];
  }

  #named(schema) {
    return this.#document.components.schemas[schema?.$ref?.split("/").at(-1)];
  }

  /** Why a value is not what a schema says; nothing if it is. */
  fault(schema, value) {
    const name = schema.$ref ? `description${schema.$ref}` : undefined;
    const validate = name ? this.#ajv.getSchema(name) : this.#ajv.compile(rebased(schema));
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors);
  }

  /** Asserts that an answer to a request is one of those described, and notes that it was seen. */
  async assertAnswer(method, target, response) {
    const operation = this.find(method, target);
    assert.ok(operation, `${method} ${target} is not described`);
    const label = `${method} ${operation.path} ${response.status}`;
    const described = operation.responses[response.status];
    assert.ok(described, `${label} is not described: ${await response.clone().text()}`);
    this.#assertHeaders(described.headers, response.headers, label);
    const type = response.headers.get("content-type")?.split(";")[0];
    const text = await response.clone().text();
    if (described.content === undefined) {
      assert.deepEqual([type, text], [undefined, ""], label);
    } else {
      assert.ok(described.content[type], `${label}: ${type} is not described`);
      this.#assertContent(type, described.content[type].schema, text, label);
    }
    this.#seen.add(answerName(operation, response.status, type));
  }

  #assertHeaders(described, headers, label) {
    for (const [name, { required, schema }] of Object.entries(described)) {
      const text = headers.get(name);
      assert.ok(text !== null || !required, `${label} has no ${name}`);
      if (text === null) continue;
      const isNumber = [schema, this.#named(schema)].some((known) => known?.type === "integer");
      const fault = this.fault(schema, isNumber ? Number(text) : text);
      assert.equal(fault, undefined, `${label}: ${name}: ${text}`);
    }
  }

  #assertContent(type, schema, text, label) {
    const isJson = type.endsWith("json") && !schema.contentSchema;
    const values = schema.contentSchema
      ? text
          .trimEnd()
          .split("\n")
          .map((line) => JSON.parse(line))
      : [isJson ? JSON.parse(text) : text];
    for (const value of values)
      assert.equal(this.fault(schema.contentSchema ?? schema, value), undefined, `${label}: ${JSON.stringify(value)}`);
  }

  /** The answers that are described and were not seen: `GET /healthz 200 application/json`. */
  unseen() {
    const all = this.operations.flatMap((operation) =>
      Object.entries(operation.responses).flatMap(([status, { content }]) =>
        (content ? Object.keys(content) : [undefined]).map((type) => answerName(operation, status, type)),
      ),
    );
    return all.filter((name) => !this.#seen.has(name));
  }
}

const answerName = ({ method, path }, status, type) => [method, path, status, type].filter(Boolean).join(" ");

/** An inline schema as it can be compiled by itself: its references name the description. */
function rebased(schema) {
  return JSON.parse(JSON.stringify(schema), (key, value) => (key === "$ref" ? `description${value}` : value));
}
