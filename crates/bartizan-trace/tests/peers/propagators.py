"""Says what OpenTelemetry's own propagators for Python make of headers and of contexts.

Reads a question a line from standard input, and writes an answer a line to standard output, both JSON:

    {"op": "inject", "format": "b3", "context": {"trace_id": "..", "span_id": "..", "sampled": true, "baggage": {}}}
    {"b3": ".."}

    {"op": "extract", "format": "jaeger", "headers": {"uber-trace-id": [".."]}}
    {"trace_id": "..", "span_id": "..", "sampled": true, "baggage": {}}

The names of headers are in lower case, each with all of its values. Where the propagator finds no valid
context, `trace_id` and `span_id` are null and `sampled` is false.
"""

import json
import sys

from opentelemetry import baggage, trace
from opentelemetry.context import Context
from opentelemetry.propagators.b3 import B3MultiFormat, B3SingleFormat
from opentelemetry.propagators.jaeger import JaegerPropagator

FORMATS = {"b3": B3SingleFormat(), "b3multi": B3MultiFormat(), "jaeger": JaegerPropagator()}


def inject(propagator, described):
    span = trace.SpanContext(
        trace_id=int(described["trace_id"], 16),
        span_id=int(described["span_id"], 16),
        is_remote=False,
        trace_flags=trace.TraceFlags(1 if described["sampled"] else 0),
    )
    context = trace.set_span_in_context(trace.NonRecordingSpan(span), Context())
    for key, value in described["baggage"].items():
        context = baggage.set_baggage(key, value, context)
    headers = {}
    propagator.inject(headers, context)
    return headers


def extract(propagator, headers):
    context = propagator.extract(headers, Context())
    span = trace.get_current_span(context).get_span_context()
    return {
        "trace_id": trace.format_trace_id(span.trace_id) if span.is_valid else None,
        "span_id": trace.format_span_id(span.span_id) if span.is_valid else None,
        "sampled": span.is_valid and span.trace_flags.sampled,
        "baggage": dict(baggage.get_all(context)),
    }


for line in sys.stdin:
    question = json.loads(line)
    propagator = FORMATS[question["format"]]
    if question["op"] == "inject":
        answer = inject(propagator, question["context"])
    else:
        answer = extract(propagator, question["headers"])
    print(json.dumps(answer), flush=True)
