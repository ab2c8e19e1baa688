import { isOneTopic } from '../config/service-rules.ts';
import { readModelFile } from '../model/format.ts';
import { ModelFormatError } from '../model/format-error.ts';
import type { Link } from '../mqtt/link.ts';
import type { ModelAnswer } from '../service/model-answers.ts';
import { modelIdOf } from '../service/model-checks.ts';
import { mostTopicBytes } from '../service/model-message.ts';
import { answerTopicOf } from '../service/subscriptions.ts';
import { createToolLink, openToolLink } from './broker-link.ts';
import type { DeployArguments, Report, Terminal } from './command.ts';
import { readInputFile } from './input-file.ts';
import { UsageError } from './usage-error.ts';

/** Publishes a signed model, retained, and waits for what the service says to it. */
export async function runDeploy(args: DeployArguments, terminal: Terminal): Promise<Report> {
  const { model: path, topic } = args;
  if (!isOneTopic(topic)) {
    throw new UsageError(
      `--topic ${JSON.stringify(topic)} is not one topic, expected the models.topic of the services, such as cellstream/plant/model`,
    );
  }
  const bytes = readInputFile(path, 'model');
  const { id, release } = checkDeployable(bytes, path);
  const answerTopic = answerTopicOf(topic);
  const link = createToolLink(args, { filters: [{ topic: answerTopic, qos: 1 }], terminal });
  try {
    await openToolLink(link);
    const answered = waitForAnswer(link, { id, answerTopic, seconds: args.seconds, log: terminal.log });
    const published = new Promise<void>((done, failed) =>
      link.publish(topic, bytes, { qos: 1, retain: true }, (error) => (error ? failed(error) : done())),
    );
    // a broker that is stuck holds up nobody
    await Promise.race([published, answered]);
    terminal.log(`published on ${topic}, waiting for an answer on ${answerTopic}`);
    const { status, reason } = await answered;
    if (status === 'refused') throw new Error(`${path} is refused: ${reason}`);
    const text = status === 'shadow' ? 'runs in the shadow of the model that serves' : 'serves now';
    return {
      summary: { model: path, topic, id, release, status },
      text: `${path} (release ${release}, ${id.slice(0, 16)}) ${text}`,
    };
  } finally {
    await link.close();
  }
}

/** What every service would refuse needs no broker. */
function checkDeployable(bytes: Uint8Array, path: string): { id: string; release: number } {
  if (bytes.length > mostTopicBytes) {
    throw new UsageError(
      `${path} has ${bytes.length} bytes, expected at most ${mostTopicBytes}; put it in place of the model file of the device`,
    );
  }
  try {
    const { model, modelBytes, signatures } = readModelFile(bytes);
    if (signatures.length > 0) return { id: modelIdOf(modelBytes), release: model.release };
  } catch (error) {
    if (error instanceof ModelFormatError)
      throw new ModelFormatError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
  throw new UsageError(`${path} is not signed, and no service takes it so; see cellstream sign`);
}

interface Awaited {
  readonly id: string;
  readonly answerTopic: string;
  readonly seconds: number;
  readonly log: Terminal['log'];
}

/** The first answer that says where the model stands. */
function waitForAnswer(link: Link, { id, answerTopic, seconds, log }: Awaited): Promise<ModelAnswer> {
  return new Promise((done, failed) => {
    let isAccepted = false;
    const timer = setTimeout(() => failed(new Error(isAccepted ? undecided : unanswered)), 1000 * seconds);
    const undecided = `the device has accepted the model and has not decided in ${seconds} s: it says on ${answerTopic} what becomes of it; wait longer with --seconds`;
    const unanswered = `no answer on ${answerTopic} in ${seconds} s: is a service connected whose config has this models.topic?`;
    timer.unref();
    link.onMessage(({ topic, payload, retain }) => {
      // a retained one is of an earlier time
      if (topic !== answerTopic || retain) return;
      const answer = parseAnswer(payload);
      if (answer?.id !== id) return;
      if (answer.status === 'accepted') {
        isAccepted = true;
        log('accepted, waiting until the device has made the states of the model from its log');
        return;
      }
      clearTimeout(timer);
      done(answer);
    });
  });
}

/** Anybody may publish there. */
function parseAnswer(payload: Uint8Array): ModelAnswer | undefined {
  try {
    return (JSON.parse(new TextDecoder().decode(payload)) as ModelAnswer | null) ?? undefined;
  } catch {
    return undefined;
  }
}
