// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/run/protocol.h"

#include "core/base/json_text.h"
#include "core/run/numbers.h"

#include <algorithm>
#include <limits>

namespace sconce {

namespace {

constexpr int protocolVersion = 1;
/// A group of steps is a few kilobytes; this bounds what a broken or hostile peer can make us hold.
constexpr JsonLimits messageLimits{32u << 20, 64};

template <class... Cases> struct Overloaded : Cases...
{
    using Cases::operator()...;
};
template <class... Cases> Overloaded(Cases...) -> Overloaded<Cases...>;

/// Text may come from anywhere (a file name, an exception); bytes that are not UTF-8 are replaced, never thrown over.

// ---- writing ----

const char* write(const RunStarted& e, Json& j)
{
    j["run"] = e.run;
    j["attempt"] = e.attempt;
    j["start_step"] = e.startStep;
    j["steps_per_epoch"] = e.stepsPerEpoch;
    j["epochs"] = e.epochs;
    j["batch_size"] = e.batchSize;
    j["device"] = e.device;
    j["device_name"] = e.deviceName;
    j["threads"] = e.threads;
    j["choices"] = e.choices;
    return "run-started";
}

const char* write(const StepsDone& e, Json& j)
{
    j["first"] = e.firstStep;
    j["loss"] = packFloats(e.loss);
    j["accuracy"] = packFloats(e.accuracy);
    j["learning_rate"] = packFloats(e.learningRate);
    j["seconds"] = packDoubles(e.seconds);
    j["samples_per_second"] = realToJson(e.samplesPerSecond);
    for (const auto& [id, values] : e.metrics) j["metrics"][id] = packFloats(values);
    return "steps";
}

const char* write(const EpochDone& e, Json& j)
{
    j["epoch"] = e.epoch;
    j["step"] = e.step;
    j["train_loss"] = realToJson(e.trainLoss);
    j["train_accuracy"] = realToJson(e.trainAccuracy);
    j["val_loss"] = realToJson(e.valLoss);
    j["val_accuracy"] = realToJson(e.valAccuracy);
    j["seconds"] = realToJson(e.seconds);
    j["samples_per_second"] = realToJson(e.samplesPerSecond);
    j["best"] = e.best;
    if (!e.metrics.empty()) j["metrics"] = metricsToJson(e.metrics);
    return "epoch";
}

const char* write(const EvaluationProgress& e, Json& j)
{
    j["what"] = e.what;
    j["done"] = e.done;
    j["total"] = e.total;
    return "evaluating";
}

const char* write(const TestDone& e, Json& j)
{
    j["loss"] = realToJson(e.loss);
    j["accuracy"] = realToJson(e.accuracy);
    if (!e.metrics.empty()) j["metrics"] = metricsToJson(e.metrics);
    return "test";
}

const char* write(const CheckpointSaved& e, Json& j)
{
    j["path"] = e.path;
    j["step"] = e.step;
    j["reason"] = e.reason;
    j["best"] = e.best;
    j["seconds"] = realToJson(e.seconds);
    j["writer_cpu_seconds"] = realToJson(e.writerCpuSeconds);
    j["trainer_cpu_seconds"] = realToJson(e.trainerCpuSeconds);
    return "checkpoint";
}

const char* write(const StatusChanged& e, Json& j)
{
    j["status"] = statusName(e.status);
    j["because"] = e.because;
    return "status";
}

const char* write(const LogLine& e, Json& j)
{
    j["level"] = e.level;
    j["at"] = e.time;
    j["text"] = e.text;
    return "log";
}

const char* write(const CommandAnswered& e, Json& j)
{
    j["command"] = e.command;
    j["step"] = e.step;
    j["ok"] = e.ok;
    j["text"] = e.text;
    return "answer";
}

const char* write(const Amended& e, Json& j)
{
    j["step"] = e.amendment.step;
    j["path"] = e.amendment.path;
    j["before"] = e.amendment.before;
    j["after"] = e.amendment.after;
    return "amended";
}

const char* write(const HardwareRead& e, Json& j)
{
    j["seconds"] = realToJson(e.seconds);
    // Pairs, not an object: names come from drivers, and their order is that of the strip.
    Json values = Json::array();
    for (const auto& [name, value] : e.values) values.push_back(Json::array({name, realToJson(value)}));
    j["values"] = std::move(values);
    return "hardware";
}

const char* write(const HistogramsTaken& e, Json& j)
{
    j["step"] = e.step;
    j["tensors"] = Json::array();
    for (const TensorNumbers& tensor : e.tensors) j["tensors"].push_back(toJson(tensor));
    return "histograms";
}

const char* write(const RunEnded& e, Json& j)
{
    j["status"] = statusName(e.status);
    j["summary"] = e.summary.toJson();
    j["error"] = e.errorCode;
    j["message"] = e.message;
    j["remedy"] = e.remedy;
    j["detail"] = e.detail;
    return "ended";
}

// ---- reading ----

/// Takes fields out of a message: an absent one keeps its default, one of the wrong type spoils the message.
class Fields
{
  public:
    explicit Fields(const Json& json) : m_json(json) {}

    void text(const char* key, std::string& out)
    {
        if (const Json* value = get(key)) {
            if (value->is_string()) out = value->get<std::string>();
            else wrong(key);
        }
    }
    template <class Int> void whole(const char* key, Int& out)
    {
        const Json* value = get(key);
        if (!value) return;
        if (!value->is_number_integer()) return wrong(key);
        const auto number = value->get<std::int64_t>();
        if (number < std::numeric_limits<Int>::min() || number > std::numeric_limits<Int>::max()) return wrong(key);
        out = static_cast<Int>(number);
    }
    void real(const char* key, double& out)
    {
        const Json* value = get(key);
        if (value && !realFromJson(*value, out)) wrong(key);
    }
    void flag(const char* key, bool& out)
    {
        if (const Json* value = get(key)) {
            if (value->is_boolean()) out = value->get<bool>();
            else wrong(key);
        }
    }
    void any(const char* key, Json& out)
    {
        if (const Json* value = get(key)) out = *value;
    }
    void status(const char* key, RunStatus& out)
    {
        std::string name = statusName(out);
        text(key, name);
        if (const std::optional<RunStatus> status = statusFromName(name)) out = *status;
        else wrong(key);
    }
    void floats(const char* key, std::vector<float>& out) { array(key, out, unpackFloats); }
    void doubles(const char* key, std::vector<double>& out) { array(key, out, unpackDoubles); }
    void wrong(const char* key) { m_wrong = key; }
    const Json* get(const char* key) const
    {
        const auto found = m_json.find(key);
        return found == m_json.end() ? nullptr : &*found;
    }
    const std::string& wrongField() const { return m_wrong; }

  private:
    template <class T, class Unpack> void array(const char* key, std::vector<T>& out, Unpack unpack)
    {
        const Json* value = get(key);
        if (!value) return;
        std::optional<std::vector<T>> values;
        if (value->is_string()) values = unpack(value->template get_ref<const std::string&>());
        if (values) out = std::move(*values);
        else wrong(key);
    }
    const Json& m_json;
    std::string m_wrong;
};

void read(Fields& f, RunStarted& e)
{
    f.text("run", e.run);
    f.whole("attempt", e.attempt);
    f.whole("start_step", e.startStep);
    f.whole("steps_per_epoch", e.stepsPerEpoch);
    f.whole("epochs", e.epochs);
    f.whole("batch_size", e.batchSize);
    f.text("device", e.device);
    f.text("device_name", e.deviceName);
    f.whole("threads", e.threads);
    f.any("choices", e.choices);
}

void read(Fields& f, StepsDone& e)
{
    f.whole("first", e.firstStep);
    f.floats("loss", e.loss);
    f.floats("accuracy", e.accuracy);
    f.floats("learning_rate", e.learningRate);
    f.doubles("seconds", e.seconds);
    f.real("samples_per_second", e.samplesPerSecond);
    const std::size_t steps = e.loss.size();
    if (const Json* metrics = f.get("metrics"); metrics && metrics->is_object()) {
        for (const auto& item : metrics->items()) {
            auto values = item.value().is_string() ? unpackFloats(item.value().get_ref<const std::string&>()) : std::nullopt;
            if (!values || values->size() != steps) return f.wrong("metrics");
            e.metrics[item.key()] = std::move(*values);
        }
    }
    if ((e.accuracy.size() != steps && !e.accuracy.empty()) || e.learningRate.size() != steps || e.seconds.size() != steps) f.wrong("loss");
    if (e.firstStep < 0 || e.firstStep > std::numeric_limits<std::int64_t>::max() - std::int64_t(steps)) f.wrong("first");
}

void read(Fields& f, EpochDone& e)
{
    f.whole("epoch", e.epoch);
    f.whole("step", e.step);
    f.real("train_loss", e.trainLoss);
    f.real("train_accuracy", e.trainAccuracy);
    f.real("val_loss", e.valLoss);
    f.real("val_accuracy", e.valAccuracy);
    f.real("seconds", e.seconds);
    f.real("samples_per_second", e.samplesPerSecond);
    f.flag("best", e.best);
    if (const Json* metrics = f.get("metrics")) e.metrics = metricsFromJson(*metrics);
}

void read(Fields& f, EvaluationProgress& e)
{
    f.text("what", e.what);
    f.whole("done", e.done);
    f.whole("total", e.total);
}

void read(Fields& f, TestDone& e)
{
    f.real("loss", e.loss);
    f.real("accuracy", e.accuracy);
    if (const Json* metrics = f.get("metrics")) e.metrics = metricsFromJson(*metrics);
}

void read(Fields& f, CheckpointSaved& e)
{
    f.text("path", e.path);
    f.whole("step", e.step);
    f.text("reason", e.reason);
    f.flag("best", e.best);
    f.real("seconds", e.seconds);
    f.real("writer_cpu_seconds", e.writerCpuSeconds);
    f.real("trainer_cpu_seconds", e.trainerCpuSeconds);
}

void read(Fields& f, StatusChanged& e)
{
    f.status("status", e.status);
    f.text("because", e.because);
}

void read(Fields& f, LogLine& e)
{
    f.text("level", e.level);
    f.whole("at", e.time);
    f.text("text", e.text);
}

void read(Fields& f, CommandAnswered& e)
{
    f.whole("command", e.command);
    f.whole("step", e.step);
    f.flag("ok", e.ok);
    f.text("text", e.text);
}

void read(Fields& f, Amended& e)
{
    f.whole("step", e.amendment.step);
    f.text("path", e.amendment.path);
    f.any("before", e.amendment.before);
    f.any("after", e.amendment.after);
}

void read(Fields& f, HardwareRead& e)
{
    f.real("seconds", e.seconds);
    const Json* values = f.get("values");
    if (!values) return;
    if (!values->is_array()) return f.wrong("values");
    for (const Json& pair : *values) {
        double value = 0;
        if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !realFromJson(pair[1], value))
            return f.wrong("values");
        e.values.emplace_back(pair[0].get<std::string>(), value);
    }
}

void read(Fields& f, HistogramsTaken& e)
{
    f.whole("step", e.step);
    const Json* tensors = f.get("tensors");
    if (!tensors) return;
    if (!tensors->is_array()) return f.wrong("tensors");
    for (const Json& each : *tensors) {
        auto tensor = tensorNumbersFromJson(each);
        if (!tensor) return f.wrong("tensors");
        e.tensors.push_back(std::move(*tensor));
    }
}

void read(Fields& f, RunEnded& e)
{
    f.status("status", e.status);
    if (const Json* summary = f.get("summary")) e.summary = RunSummary::fromJson(*summary);
    f.text("error", e.errorCode);
    f.text("message", e.message);
    f.text("remedy", e.remedy);
    f.text("detail", e.detail);
}

void read(Fields&, PauseCommand&) {}
void read(Fields&, ResumeCommand&) {}
void read(Fields&, CheckpointCommand&) {}
void read(Fields&, HistogramsCommand&) {}

void read(Fields& f, StopCommand& c)
{
    f.flag("hand_over", c.handOver);
    f.text("reason", c.reason);
}

void read(Fields& f, AmendCommand& c)
{
    f.text("path", c.path);
    f.any("value", c.value);
}

template <class Body, class T> Body readBody(Fields& fields)
{
    T body{};
    read(fields, body);
    return body;
}

template <class Body> struct TypeEntry
{
    std::string_view name;
    Body (*read)(Fields&);
};

constexpr TypeEntry<EventBody> eventTypes[] = {
    {"run-started", readBody<EventBody, RunStarted>},   {"steps", readBody<EventBody, StepsDone>},
    {"epoch", readBody<EventBody, EpochDone>},          {"evaluating", readBody<EventBody, EvaluationProgress>},
    {"test", readBody<EventBody, TestDone>},            {"checkpoint", readBody<EventBody, CheckpointSaved>},
    {"status", readBody<EventBody, StatusChanged>},     {"log", readBody<EventBody, LogLine>},
    {"answer", readBody<EventBody, CommandAnswered>},   {"amended", readBody<EventBody, Amended>},
    {"hardware", readBody<EventBody, HardwareRead>},    {"histograms", readBody<EventBody, HistogramsTaken>},
    {"ended", readBody<EventBody, RunEnded>},
};

constexpr TypeEntry<CommandBody> commandTypes[] = {
    {"pause", readBody<CommandBody, PauseCommand>},
    {"resume", readBody<CommandBody, ResumeCommand>},
    {"stop", readBody<CommandBody, StopCommand>},
    {"checkpoint-now", readBody<CommandBody, CheckpointCommand>},
    {"amend", readBody<CommandBody, AmendCommand>},
    {"histograms", readBody<CommandBody, HistogramsCommand>},
};

Error notAMessage(const std::string& detail)
{
    return {ErrorCode::Invalid, "A message between trainer and watcher could not be read.",
            "Both sides should be the same version of Sconce.", detail};
}

/// The parsed object, once it is known to carry a type.
Result<Json> parseMessage(std::string_view line)
{
    Result<Json> parsed = parseJson(line, "The message", messageLimits);
    if (!parsed) return notAMessage(parsed.error().message);
    if (!parsed->is_object()) return notAMessage("not an object");
    const auto type = parsed->find("type");
    if (type == parsed->end() || !type->is_string()) return notAMessage("no type");
    return parsed;
}

/// nullopt: a type of a later version.
template <class Body, std::size_t N>
Result<std::optional<Body>> readTyped(const TypeEntry<Body> (&types)[N], const Json& json, Fields& fields)
{
    const std::string& type = json.find("type")->template get_ref<const std::string&>();
    const auto* entry = std::find_if(std::begin(types), std::end(types), [&](const auto& e) { return e.name == type; });
    if (entry == std::end(types)) return std::optional<Body>();
    Body body = entry->read(fields);
    if (!fields.wrongField().empty()) return notAMessage(type + ": field " + fields.wrongField());
    return std::optional<Body>(std::move(body));
}

} // namespace

std::string encode(const Event& event)
{
    Json json = Json::object();
    json["type"] = "";
    json["v"] = protocolVersion;
    json["seq"] = event.sequence;
    json["time"] = event.time;
    json["type"] = std::visit([&](const auto& body) { return write(body, json); }, event.body);
    return jsonText(json);
}

std::string encode(const Command& command)
{
    Json json = Json::object();
    json["type"] = "";
    json["v"] = protocolVersion;
    json["id"] = command.id;
    json["type"] = std::visit(Overloaded{[](const PauseCommand&) { return "pause"; },
                                         [](const ResumeCommand&) { return "resume"; },
                                         [&](const StopCommand& c) {
                                             json["hand_over"] = c.handOver;
                                             json["reason"] = c.reason;
                                             return "stop";
                                         },
                                         [](const CheckpointCommand&) { return "checkpoint-now"; },
                                         [](const HistogramsCommand&) { return "histograms"; },
                                         [&](const AmendCommand& c) {
                                             json["path"] = c.path;
                                             json["value"] = c.value;
                                             return "amend";
                                         }},
                              command.body);
    return jsonText(json);
}

Result<std::optional<Event>> decodeEvent(std::string_view line)
{
    Result<Json> json = parseMessage(line);
    if (!json) return json.error();
    Event event;
    Fields fields(*json);
    fields.whole("seq", event.sequence);
    fields.whole("time", event.time);
    Result<std::optional<EventBody>> body = readTyped(eventTypes, *json, fields);
    if (!body) return body.error();
    if (!*body) return std::optional<Event>();
    event.body = std::move(**body);
    return std::optional<Event>(std::move(event));
}

Result<std::optional<Command>> decodeCommand(std::string_view line)
{
    Result<Json> json = parseMessage(line);
    if (!json) return json.error();
    Command command;
    Fields fields(*json);
    fields.whole("id", command.id);
    Result<std::optional<CommandBody>> body = readTyped(commandTypes, *json, fields);
    if (!body) return body.error();
    if (!*body) return std::optional<Command>();
    command.body = std::move(**body);
    return std::optional<Command>(std::move(command));
}

} // namespace sconce
