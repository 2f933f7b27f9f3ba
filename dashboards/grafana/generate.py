#!/usr/bin/env python3
"""Writes the dashboards: `generate.py` makes operators.json and gateway.json, `generate.py --check` says what differs.

A panel is a line here; what Grafana wants besides is added below. Needs nothing but Python.
"""

import json
import pathlib
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
#: Where runbooks are: deploy/urls.json says so for everything.
RUNBOOKS = json.loads((pathlib.Path(__file__).resolve().parents[2] / "deploy" / "urls.json").read_text(encoding="utf-8"))["runbooks"].rstrip("/") + "/"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WHERE = 'job=~"$job", instance=~"$instance"'
SERVER = WHERE + ', waited_for!="client"'


def rate(name, labels="", by="", window="$__rate_interval"):
    """The sum of a counter's rates, by labels."""
    selector = ", ".join(filter(None, [WHERE, labels]))
    return f"sum{f' by ({by})' if by else ''} (rate({name}{{{selector}}}[{window}]))"


def quantile(q, name, labels=WHERE, by=""):
    """A quantile of a histogram, by labels."""
    by = f"{by}, le" if by else "le"
    return f"histogram_quantile({q}, sum by ({by}) (rate({name}_bucket{{{labels}}}[$__rate_interval])))"


def gauge(name, labels=""):
    return f"{name}{{{', '.join(filter(None, [WHERE, labels]))}}}"


LATENCY = "tickwire_delivery_latency_seconds"
FAULTS = 'reason=~"accept|connection_limit|internal|unavailable"'
BYTES, SECONDS, SHARE = "bytes", "s", "percentunit"
PER_SECOND, BYTES_PER_SECOND = "cps", "Bps"


class Panel:
    """What a panel shows. `queries` are pairs of an expression and its legend."""

    def __init__(self, title, unit, about, *queries, kind="timeseries", width=8, height=8, **more):
        self.title, self.unit, self.about, self.queries = title, unit, about, queries
        self.kind, self.width, self.height, self.more = kind, width, height, more


def stat(title, unit, about, query, **more):
    return Panel(title, unit, about, (query, ""), kind="stat", width=4, height=4, **more)


def overview():
    return "Overview", [
        stat("Plants up", "short", "Plants that answer Prometheus. Fewer than there should be: see the runbook of TickwireDown.",
             'sum(up{job=~"$job", instance=~"$instance"})', bad_below=1, runbook="TickwireDown"),
        stat("Sessions", "short", "Sessions that are open on all chosen plants.", f"sum({gauge('tickwire_connections')})"),
        stat("Records a second", PER_SECOND, "Records sent to subscribers, all channels together.",
             rate("tickwire_updates_delivered_total")),
        stat("Delivery, 99th percentile", SECONDS,
             "From the receipt of an update to its socket, where nothing but the plant was waited for. The promise is 100 ms for 99.9 %.",
             quantile(0.99, LATENCY, SERVER), warn=0.1, bad=0.25, runbook="TickwireDeliverySlow"),
        stat("Oldest feed", SECONDS, "How long the most silent feed has been silent. Stale from 10 s on.",
             f"max({gauge('instance_feed:tickwire_feed_age_seconds:last')})", warn=5, bad=10, runbook="TickwireFeedStale"),
        stat("Behind", SHARE, "Which part of the sessions reads less than its streams send. It hurts them only.",
             f"sum({gauge('tickwire_slow_consumers')}) / (sum({gauge('tickwire_connections')}) > 0)",
             warn=0.1, bad=0.5, runbook="TickwireSlowConsumers"),
        Panel("Firing alerts", "short", "What is wrong now, and on whose side. Each name is a runbook.",
              ('ALERTS{alertname=~"Tickwire.*", alertstate="firing"}', ""), kind="table", width=12,
              hide=["Time", "Value", "__name__", "alertstate"], runbook=""),
        Panel("Budgets that burn", "short",
              "How many times as fast as allowed the error budgets of 30 days burn, over an hour. Above 14.4 somebody is woken.",
              ('job:tickwire_delivery_errors:ratio_rate1h{job=~"$job"} / 0.001', "delivery"),
              ('job_feed:tickwire_freshness_errors:ratio_avg1h{job=~"$job"} / 0.001', "freshness of {{feed}}"),
              ('job:tickwire_availability_errors:ratio_rate1h{job=~"$job"} / 0.001', "availability"),
              width=12, warn=1, bad=14.4, runbook="TickwireDeliveryBudgetBurn"),
    ]


def delivery():
    owed = " + ".join(rate(f"tickwire_updates_{what}_total") for what in ("delivered", "coalesced", "skipped"))
    return "Delivery", [
        Panel("From receipt to socket", SECONDS, "Of records that waited for nobody but the plant. What waits for a client is below, in Slow consumers.",
              *((quantile(q, LATENCY, SERVER), name) for q, name in ((0.5, "median"), (0.99, "99 %"), (0.999, "99.9 %"))),
              log=True, runbook="TickwireDeliverySlow"),
        Panel("99th percentile by channel", SECONDS, "Which channel is late.",
              (quantile(0.99, LATENCY, SERVER, "channel"), "{{channel}}"), log=True, runbook="TickwireDeliverySlow"),
        Panel("99th percentile by transport", SECONDS, "Which door is late: WebSocket, server-sent events, polls, Socket.IO.",
              (quantile(0.99, LATENCY, SERVER, "transport"), "{{transport}}"), log=True, runbook="TickwireDeliverySlow"),
        Panel("Records by channel", PER_SECOND, "Records sent to subscribers.",
              (rate("tickwire_updates_delivered_total", by="channel"), "{{channel}}"), stack=True),
        Panel("Events sequenced", PER_SECOND, "Events that came from all feeds, each once, however many read it.",
              (rate("tickwire_updates_published_total", by="instance"), "{{instance}}")),
        Panel("Subscribers an event has", "short", "Records that were owed to subscribers for each event: how much the plant multiplies.",
              (f"({owed}) / ({rate('tickwire_updates_published_total')} > 0)", "records an event")),
        Panel("Sent", BYTES_PER_SECOND, "Bytes of messages handed to sockets, before compression and TLS.",
              (rate("tickwire_sent_bytes_total", by="instance"), "{{instance}}"), stack=True),
        Panel("Bytes a flush", BYTES, "How much one write carries: it grows where the plant has more to do than it can do at once.",
              (rate('tickwire_sent_bytes_total', by='instance') + ' / (' + rate('tickwire_flushes_total', by='instance') + ' > 0)', "{{instance}}")),
        Panel("Waiting for their delay", "short", "Updates that delayed streams will have later; what had no room is missing there.",
              (f"sum({gauge('tickwire_delayed_updates')})", "wait"),
              (f"{rate('tickwire_delayed_updates_missed_total')}", "missed a second"), runbook="TickwireDelayedStreamsIncomplete"),
    ]


def slow():
    return "Slow consumers", [
        Panel("Sessions that are behind", "short", "Sessions that read less than their streams send. They are sent merged, newer records.",
              (f"sum by (instance) ({gauge('tickwire_slow_consumers')})", "{{instance}}"), runbook="TickwireSlowConsumers"),
        Panel("Merged, of what was owed", SHARE, "Which part of the updates reached subscribers folded into a newer record.",
              (gauge("instance:tickwire_updates_coalesced:ratio_rate5m"), "{{instance}}"), runbook="TickwireSlowConsumers"),
        Panel("Skipped, of what was owed", SHARE, "Which part did not: it was named in a gap, or a snapshot took its place.",
              (gauge("instance:tickwire_updates_skipped:ratio_rate5m"), "{{instance}}"), bad=0.001, runbook="TickwireUpdatesSkipped"),
        Panel("Merged by channel", PER_SECOND, "Events folded into records that were sent.",
              (rate("tickwire_updates_coalesced_total", by="channel"), "{{channel}}"), stack=True),
        Panel("Skipped by channel", PER_SECOND, "Events named in gaps or replaced by snapshots.",
              (rate("tickwire_updates_skipped_total", by="channel"), "{{channel}}"), stack=True, runbook="TickwireUpdatesSkipped"),
        Panel("Age of what clients made wait", SECONDS, "From receipt to socket, where a client's socket was full or the client asked for an interval.",
              *((quantile(q, LATENCY, WHERE + ', waited_for="client"'), name) for q, name in ((0.5, "median"), (0.99, "99 %"))), log=True),
        Panel("What waits for a session", BYTES, "Bytes on their way to a session whose socket is full: bounded, however slow it is.",
              *((quantile(q, "tickwire_session_queue_bytes"), name) for q, name in ((0.5, "median"), (0.99, "99 %")))),
        Panel("Given up, and lost", "short", "Sessions in five minutes that fell behind the log and had asked for every event, and that did not answer any more.",
              (f'sum by (reason) (increase(tickwire_connections_closed_total{{{WHERE}, reason=~"slow_consumer|ping_timeout"}}[5m]))', "{{reason}}"),
              runbook="TickwireSlowConsumersClosed"),
        Panel("Too old to be sent", PER_SECOND, "Times that what waited was older than the reader wants it, and the next update was waited for.",
              (rate("tickwire_updates_withheld_total"), "withheld")),
    ]


def feeds():
    return "Feeds", [
        Panel("Events by feed", PER_SECOND, "Normalised events that a feed has handed on.",
              (rate("tickwire_feed_events_total", by="feed"), "{{feed}}"), runbook="TickwireFeedStale"),
        Panel("Silent for", SECONDS, "How long ago the last event of each feed came. Stale from 10 s on.",
              (f"max by (instance, feed) ({gauge('instance_feed:tickwire_feed_age_seconds:last')})", "{{feed}} on {{instance}}"),
              bad=10, runbook="TickwireFeedStale"),
        Panel("Behind the venue", SECONDS, "How long after the venue's own time for it an event came. Live feeds only.",
              (f"max by (instance, feed) ({gauge('tickwire_feed_lag_seconds')})", "{{feed}} on {{instance}}"), bad=2, runbook="TickwireFeedLagging"),
        Panel("Books voided", "short", "Books voided within ten minutes, because updates were missing or a checksum failed.",
              (f"sum by (feed) (increase(tickwire_feed_sequence_gaps_total{{{WHERE}}}[10m]))", "{{feed}}"), bad=3, runbook="TickwireFeedGaps"),
        Panel("Messages refused", PER_SECOND, "Messages of a feed that could not be read, or said what cannot be, by reason.",
              (rate("tickwire_feed_errors_total", by="feed, reason"), "{{feed}}: {{reason}}"), runbook="TickwireFeedErrors"),
        Panel("Symbols twice, trades late", PER_SECOND, "Ticks refused because another instrument has their symbol, and trades too late for one of their bars.",
              (rate("tickwire_symbol_conflicts_total"), "another instrument's symbol"),
              (rate("tickwire_feed_late_trades_total", by="feed"), "late trades of {{feed}}"), runbook="TickwireSymbolConflicts"),
        Panel("Books begun anew, by reason", "short", "Books within ten minutes that were lost, or that the venue itself began again: restarts, maintenance, other price steps.",
              (f"sum by (feed, reason) (increase(tickwire_feed_book_resets_total{{{WHERE}}}[10m])) > 0", "{{feed}}: {{reason}}"), runbook="TickwireFeedGaps"),
        Panel("The venue's clock", SECONDS, "The venue's clock minus the plant's, at least. Above 0 the plant's is behind; below, messages are that late, or it is ahead.",
              (f"max by (instance, feed) ({gauge('tickwire_feed_clock_offset_seconds')})", "{{feed}} on {{instance}}"), bad=0.5, runbook="TickwireFeedClockAhead"),
        Panel("Executions corrected", PER_SECOND, "Executions that a venue took back or said anew, by what became of bars and totals.",
              (rate("tickwire_feed_corrections_total", by="feed, result"), "{{feed}}: {{result}}")),
        Panel("Crossed, locked, back in time", PER_SECOND, "Best bids that came above or to the best offer, and times of a venue before the ones before them.",
              (rate("tickwire_feed_crossed_quotes_total", by="feed, kind"), "{{feed}}: {{kind}}"),
              (rate("tickwire_feed_backwards_times_total", by="feed"), "{{feed}}: back in time")),
        Panel("Connections to venues", "short", "Connections of live feeds that stand, and those that ended within ten minutes.",
              (f"sum by (instance, feed) ({gauge('tickwire_feed_connections')})", "{{feed}} on {{instance}}"),
              (f"sum by (feed, reason) (increase(tickwire_feed_reconnects_total{{{WHERE}}}[10m])) > 0", "{{feed}} ended: {{reason}}"), runbook="TickwireFeedReconnecting"),
        Panel("Received from venues", BYTES_PER_SECOND, "Bytes of the messages of live venues, and messages that had been brought already.",
              (rate("tickwire_feed_received_bytes_total", by="feed"), "{{feed}}"),
              (rate("tickwire_feed_duplicates_total", by="feed"), "{{feed}}: twice, a second")),
    ]


def auth():
    return "Auth", [
        Panel("Tokens by result", PER_SECOND, "Tokens checked at the handshake.",
              (rate("tickwire_auth_total", by="result"), "{{result}}"), stack=True, runbook="TickwireAuthFailures"),
        Panel("Turned away, by reason", PER_SECOND, "Connections that did not become sessions.",
              (rate("tickwire_handshake_failures_total", by="reason"), "{{reason}}"), stack=True, runbook="TickwireHandshakesRefused"),
        Panel("Turned away by no fault of theirs", PER_SECOND, "No place, no file descriptor, an internal fault: it counts against the promise of availability.",
              (rate("tickwire_handshake_failures_total", FAULTS, by="reason"), "{{reason}}"), runbook="TickwireAvailabilityBudgetBurn"),
        Panel("Bounds reached", PER_SECOND, "Times that a bound of a subject or a tenant was reached, by its name in [limits].",
              (rate("tickwire_limits_reached_total", by="limit"), "{{limit}}")),
        Panel("Keys and configuration", "short", "Times within 15 minutes that published keys were fetched and the configuration was read again.",
              (f"sum by (result) (increase(tickwire_jwks_fetches_total{{{WHERE}}}[15m]))", "keys: {{result}}"),
              (f"sum by (result) (increase(tickwire_reloads_total{{{WHERE}}}[15m]))", "configuration: {{result}}"), runbook="TickwireReloadRefused"),
        Panel("Certificate good for", SECONDS, "Until the certificate that clients are shown ends.",
              (f"{gauge('tickwire_tls_not_after_timestamp_seconds')} - time()", "{{instance}}"), runbook="TickwireCertificateExpires"),
    ]


def recording():
    return "Recording", [
        Panel("Recorded", PER_SECOND, "Events taken into the recording, and events that are missing because the disk did not follow.",
              (rate("tickwire_recorded_updates_total", by="instance"), "{{instance}}"),
              (rate("tickwire_unrecorded_updates_total", by="instance"), "missing on {{instance}}"), runbook="TickwireRecordingIncomplete"),
        Panel("Refused by the disk", "short", "Times within five minutes that the disk refused what was recorded.",
              (f"sum by (instance) (increase(tickwire_recorder_errors_total{{{WHERE}}}[5m]))", "{{instance}}"), bad=1, runbook="TickwireRecorderErrors"),
        Panel("Packed anew, and removed", BYTES_PER_SECOND, "Closed files before and after they were packed anew, and what is not kept any more.",
              (rate("tickwire_recording_sealed_bytes_total", by="when"), "{{when}} packing"),
              (rate("tickwire_recording_removed_bytes_total"), "removed"), runbook="TickwireRecordingCutShort"),
    ]


def process():
    return "Process", [
        Panel("Processor", "short", "Cores that are used. The machine's number of them is the most.",
              (f"rate(process_cpu_seconds_total{{{WHERE}}}[$__rate_interval])", "{{instance}}"), runbook="TickwireSaturated"),
        Panel("Threads busy", SHARE, "Which part of the time the threads that serve are busy.",
              (f"rate(tickwire_runtime_busy_seconds_total{{{WHERE}}}[$__rate_interval]) / {gauge('tickwire_runtime_workers')}", "{{instance}}"),
              warn=0.7, bad=0.9, runbook="TickwireSaturated"),
        Panel("Tasks", "short", "Tasks of the runtime: one for each connection and shard, a few more.",
              (gauge("tickwire_runtime_alive_tasks"), "{{instance}}"),
              (gauge("tickwire_runtime_queued_tasks"), "waiting on {{instance}}")),
        Panel("Memory", BYTES, "What the process has resident. It does not grow with slow clients.",
              (gauge("process_resident_memory_bytes"), "{{instance}}"), runbook="TickwireRestarting"),
        Panel("Open files", SHARE, "Of those that the process may open.",
              (f"{gauge('process_open_fds')} / {gauge('process_max_fds')}", "{{instance}}"), warn=0.7, bad=0.9, runbook="TickwireOpenFilesNearLimit"),
        Panel("Scrapes", SECONDS, "How long Prometheus waits for the plant's answer.",
              (f"scrape_duration_seconds{{{WHERE}}}", "{{instance}}")),
        Panel("Versions", "short", "What runs where, and since when.",
              (f"{gauge('tickwire_build_info')} * on (job, instance) group_left () (process_start_time_seconds{{{WHERE}}} * 1000)", ""), kind="table", width=24, height=6,
              hide=["Time", "__name__"], value=("since", "dateTimeAsIso")),
    ]


def one_gateway():
    return "Now", [
        stat("Up for", SECONDS, "Since the process started.", f"time() - {gauge('process_start_time_seconds')}", runbook="TickwireRestarting"),
        stat("Sessions, of the most", SHARE, "Sessions that are open, of those that may be.",
             f"sum({gauge('tickwire_connections')}) / sum({gauge('tickwire_connections_limit')})", warn=0.7, bad=0.85, runbook="TickwireConnectionsNearLimit"),
        stat("Going", "short", "1 while the plant says goodbye to its clients.", gauge("tickwire_draining"), bad=1, runbook="TickwireDrainingTooLong"),
        stat("Delivery, 99th percentile", SECONDS, "From the receipt of an update to its socket, where nothing but the plant was waited for.",
             quantile(0.99, LATENCY, SERVER), warn=0.1, bad=0.25, runbook="TickwireDeliverySlow"),
        stat("Live feeds", "short", "Feeds whose last event is at most 10 s old.", f"sum({gauge('instance_feed:tickwire_feed_fresh:bool')})", bad_below=1, runbook="TickwireNoLiveFeed"),
        stat("Replays", "short", "Replays and downloads of recordings that go on.", f"sum({gauge('tickwire_replays')}) or vector(0)"),
    ]


def sessions():
    return "Sessions", [
        Panel("Open", "short", "Sessions that are open, and how many may be.",
              (f"sum by (transport) ({gauge('tickwire_connections')})", "{{transport}}"), (gauge("tickwire_connections_limit"), "the most"), runbook="TickwireConnectionsNearLimit"),
        Panel("Opened and closed", PER_SECOND, "Sessions that began and ended. Many of both at once is a storm of clients that come back.",
              (rate("tickwire_connections_opened_total"), "opened"), (rate("tickwire_connections_closed_total"), "closed")),
        Panel("Closed, by reason", PER_SECOND, "Why sessions ended: client, gone and normal are the clients' own doing.",
              (rate("tickwire_connections_closed_total", by="reason"), "{{reason}}"), stack=True, runbook="TickwireClientsLost"),
        Panel("How late, and how often", PER_SECOND, "Records by the time from receipt to socket, where nothing but the plant was waited for.",
              (f"sum by (le) (increase({LATENCY}_bucket{{{SERVER}}}[$__rate_interval]))", "{{le}}"), kind="heatmap", width=12, runbook="TickwireDeliverySlow"),
        Panel("Received", BYTES_PER_SECOND, "Bytes of text messages that clients sent.", (rate("tickwire_received_bytes_total"), "received"), width=6),
        Panel("Price alerts", "short", "Alerts on prices that are kept for subjects, and how many happen.",
              (f"sum({gauge('tickwire_alerts')})", "kept"), (rate("tickwire_alerts_fired_total"), "happen a second"), width=6),
    ]


def steps(more):
    found = [{"color": "green", "value": None}]
    if "bad_below" in more:
        return [{"color": "red", "value": None}, {"color": "green", "value": more["bad_below"]}]
    if "warn" in more:
        found.append({"color": "orange", "value": more["warn"]})
    if "bad" in more:
        found.append({"color": "red", "value": more["bad"]})
    return found


def custom(more):
    bounded = "bad" in more or "warn" in more
    return {
        "drawStyle": "line", "fillOpacity": 20 if more.get("stack") else 5, "lineWidth": 1, "showPoints": "never",
        "spanNulls": False, "stacking": {"group": "A", "mode": "normal" if more.get("stack") else "none"},
        "scaleDistribution": {"type": "log", "log": 10} if more.get("log") else {"type": "linear"},
        "thresholdsStyle": {"mode": "dashed" if bounded else "off"},
    }


def options(panel):
    if panel.kind == "stat":
        return {"colorMode": "value", "graphMode": "area", "justifyMode": "auto", "orientation": "auto", "textMode": "auto",
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
    if panel.kind == "table":
        return {"cellHeight": "sm", "footer": {"show": False}, "showHeader": True}
    if panel.kind == "heatmap":
        return {"calculate": False, "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64}, "cellGap": 1,
                "yAxis": {"axisPlacement": "left", "unit": "s"}, "tooltip": {"mode": "single", "showColorScale": False, "yHistogram": False},
                "legend": {"show": True}, "rowsFrame": {"layout": "auto"}}
    return {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}, "tooltip": {"mode": "multi", "sort": "desc"}}


def written(panel, number, x, y):
    """The panel as Grafana reads it."""
    more = panel.more
    targets = []
    for letter, (expression, legend) in zip("ABCDEFGH", panel.queries):
        target = {"datasource": SOURCE, "editorMode": "code", "expr": expression, "legendFormat": legend or "__auto", "range": True, "refId": letter}
        if panel.kind == "table":
            target.update(format="table", instant=True, range=False)
        if panel.kind == "heatmap":
            target["format"] = "heatmap"
        targets.append(target)
    defaults = {"unit": panel.unit, "color": {"mode": "thresholds" if panel.kind == "stat" else "palette-classic"},
                "mappings": [], "thresholds": {"mode": "absolute", "steps": steps(more)}}
    if panel.kind == "timeseries":
        defaults.update(custom=custom(more), min=0)
        if more.get("log"):
            del defaults["min"]
    overrides, transformations = [], []
    if panel.kind == "table":
        transformations = [{"id": "organize", "options": {"excludeByName": {name: True for name in more["hide"]}, "renameByName": {}}}]
        if "value" in more:
            name, unit = more["value"]
            transformations[0]["options"]["renameByName"]["Value"] = name
            overrides.append({"matcher": {"id": "byName", "options": name}, "properties": [{"id": "unit", "value": unit}]})
        else:
            link = {"title": "Runbook", "url": RUNBOOKS + "${__value.text}.md", "targetBlank": True}
            overrides.append({"matcher": {"id": "byName", "options": "alertname"}, "properties": [{"id": "links", "value": [link]}]})
    links = []
    if more.get("runbook"):
        links.append({"title": f"Runbook of {more['runbook']}", "url": f"{RUNBOOKS}{more['runbook']}.md", "targetBlank": True})
    found = {
        "id": number, "type": panel.kind, "title": panel.title, "description": panel.about, "datasource": SOURCE,
        "gridPos": {"x": x, "y": y, "w": panel.width, "h": panel.height},
        "fieldConfig": {"defaults": defaults, "overrides": overrides}, "options": options(panel), "targets": targets, "links": links,
    }
    if transformations:
        found["transformations"] = transformations
    return found


def laid_out(rows):
    """All panels with their places: rows from top to bottom, 24 wide."""
    panels, number, y = [], 1, 0
    for title, members in rows:
        panels.append({"id": number, "type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"x": 0, "y": y, "w": 24, "h": 1}})
        number, y, x, high = number + 1, y + 1, 0, 0
        for panel in members:
            if x + panel.width > 24:
                x, y, high = 0, y + high, 0
            panels.append(written(panel, number, x, y))
            number, x, high = number + 1, x + panel.width, max(high, panel.height)
        y += high
    return panels


def variable(name, label, query, many):
    every = {"current": {"selected": True, "text": ["All"], "value": ["$__all"]}} if many else {"current": {}}
    return {"type": "query", "name": name, "label": label, "datasource": SOURCE, "definition": query, "hide": 0, "includeAll": many,
            "multi": many, "options": [], "query": {"qryType": 1, "query": query, "refId": "variable"}, "refresh": 2, "regex": "",
            "skipUrlSync": False, "sort": 1, **({"allValue": ".*"} if many else {}), **every}


def annotation(name, color, expression, title, more=None):
    return {"name": name, "enable": True, "hide": False, "iconColor": color, "datasource": SOURCE, "expr": expression, "step": "30s",
            "titleFormat": title, "tagKeys": "instance,severity", "textFormat": "{{instance}}", **(more or {})}


def dashboard(uid, title, about, rows, other, many):
    built_in = {"builtIn": 1, "datasource": {"type": "grafana", "uid": "-- Grafana --"}, "enable": True, "hide": True,
                "iconColor": "rgba(0, 211, 255, 1)", "name": "Annotations & Alerts", "type": "dashboard"}
    return {
        "annotations": {"list": [
            built_in,
            annotation("Alerts", "red", 'ALERTS{alertname=~"Tickwire.*", alertstate="firing", severity="critical"}', "{{alertname}}"),
            annotation("Starts and deploys", "blue", f"process_start_time_seconds{{{WHERE}}} * 1000", "started", {"useValueForTime": "on"}),
        ]},
        "description": about, "editable": True, "fiscalYearStartMonth": 0, "graphTooltip": 1, "id": None,
        "links": [
            {"type": "link", "title": other[0], "url": f"/d/{other[1]}", "icon": "dashboard", "asDropdown": False, "includeVars": True,
             "keepTime": True, "tags": [], "targetBlank": False, "tooltip": ""},
            {"type": "link", "title": "Runbooks", "url": RUNBOOKS, "icon": "doc", "asDropdown": False, "includeVars": False,
             "keepTime": False, "tags": [], "targetBlank": True, "tooltip": "One for each alert"},
        ],
        "panels": laid_out(rows), "refresh": "30s", "schemaVersion": 41, "tags": ["tickwire"],
        "templating": {"list": [
            {"type": "datasource", "name": "datasource", "label": "Data source", "query": "prometheus", "current": {}, "hide": 0,
             "includeAll": False, "multi": False, "options": [], "refresh": 1, "regex": "", "skipUrlSync": False},
            variable("job", "Job", 'label_values(tickwire_build_info, job)', many),
            variable("instance", "Plant", 'label_values(tickwire_build_info{job=~"$job"}, instance)', many),
        ]},
        "time": {"from": "now-1h", "to": "now"}, "timepicker": {}, "timezone": "utc", "title": title, "uid": uid, "version": 1, "weekStart": "",
    }


def all_of_them():
    operators = ("Tickwire: operators", "tickwire-operators")
    gateway = ("Tickwire: one plant", "tickwire-gateway")
    return {
        "operators.json": dashboard(
            operators[1], operators[0], "What is wrong, and on whose side: from the whole to the process.",
            [overview(), delivery(), slow(), feeds(), auth(), recording(), process()], gateway, many=True),
        "gateway.json": dashboard(
            gateway[1], gateway[0], "One plant: its sessions, what they are sent, and what it costs.",
            [one_gateway(), sessions(), delivery(), slow(), feeds(), recording(), process()], operators, many=False),
    }


def main():
    wrong = 0
    for name, content in all_of_them().items():
        text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
        path = FOLDER / name
        if "--check" not in sys.argv[1:]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            print(f"{name} is not what generate.py makes: run it")
            wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
