import type { LocalModel } from "./package.ts";
import { inputOf } from "./preprocess.ts";
import type { Picture } from "./resample.ts";

/** What is used of onnxruntime-web, which the site has in a folder of its own. */
interface Runtime {
  env: { wasm: { wasmPaths: string; numThreads: number } };
  Tensor: new (type: "float32", values: Float32Array, shape: number[]) => Tensor;
  InferenceSession: { create(graph: Uint8Array, options: object): Promise<Session> };
}

interface Tensor {
  readonly data: Float32Array;
  dispose(): void;
}

interface Session {
  readonly inputNames: readonly string[];
  run(inputs: Record<string, Tensor>, outputs: string[]): Promise<Record<string, Tensor>>;
}

/** A file of the site. */
export async function file(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: the site answers ${response.status}`);
  return response;
}

const bytes = async (path: string): Promise<Uint8Array> => new Uint8Array(await (await file(path)).arrayBuffer());

/** The network in the browser's WebAssembly. */
export class LocalEngine {
  private constructor(
    private readonly runtime: Runtime,
    private readonly session: Session,
    private readonly model: LocalModel,
  ) {}

  static async open(model: LocalModel): Promise<LocalEngine> {
    const base = new URL("onnxruntime/", self.location.href).href;
    const runtime = (await import(/* @vite-ignore */ `${base}ort.wasm.min.mjs`)) as Runtime;
    runtime.env.wasm.wasmPaths = base;
    // More threads need headers that a plain file server does not send.
    runtime.env.wasm.numThreads = 1;
    const [graph, ...weights] = await Promise.all(model.files.map((name) => bytes(`model/${name}`)));
    if (!graph) throw new Error("the site has no network");
    const externalData = weights.map((data, i) => ({ path: model.files[i + 1], data }));
    const options = { executionProviders: ["wasm"], externalData };
    return new LocalEngine(runtime, await runtime.InferenceSession.create(graph, options), model);
  }

  /** The scores of an upright photo, `[classes]`. */
  async scores(photo: Picture): Promise<Float32Array> {
    const { preprocess, scores } = this.model;
    const [rows, columns] = preprocess.size;
    const shape = preprocess.layout === "nchw" ? [1, 3, rows, columns] : [1, rows, columns, 3];
    const input = new this.runtime.Tensor("float32", inputOf(photo, preprocess), shape);
    const outputs = await this.session.run({ [this.session.inputNames[0] ?? "input"]: input }, [scores]);
    const output = outputs[scores];
    if (!output) throw new Error(`the network has no output ${scores}`);
    const values = output.data.slice();
    output.dispose();
    input.dispose();
    return values;
  }
}
