export interface ServerEvent {
  event: string;
  data: string;
}

/** Takes a text/event-stream apart as it arrives. */
export class EventParser {
  private text = "";

  /** The events that are whole with this part of the stream. */
  push(part: string): ServerEvent[] {
    this.text += part;
    const events: ServerEvent[] = [];
    for (let end = blank.exec(this.text); end; end = blank.exec(this.text)) {
      const event = eventOf(this.text.slice(0, end.index));
      this.text = this.text.slice(end.index + end[0].length);
      if (event.data !== "") events.push(event);
    }
    return events;
  }
}

/** The empty line that ends an event. */
const blank = /\r\n\r\n|\n\n|\r\r/;

function eventOf(block: string): ServerEvent {
  let event = "message";
  const data: string[] = [];
  for (const line of block.split(/\r\n|\n|\r/)) {
    const colon = line.indexOf(":");
    if (colon <= 0) continue;
    const value = line.slice(colon + 1).replace(/^ /, "");
    if (line.startsWith("event:")) event = value;
    if (line.startsWith("data:")) data.push(value);
  }
  return { event, data: data.join("\n") };
}
