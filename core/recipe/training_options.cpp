// SPDX-License-Identifier: GPL-3.0-or-later
// What a run may be told besides optimiser, schedule and length: groups of descriptors, which form, JSON, validation and
// differences read. A group stands here only when the engine does what it says.
#include "core/recipe/recipe.h"

namespace sconce {

namespace {

ParamDescriptor when(const char* condition, ParamDescriptor descriptor)
{
    descriptor.onlyWhen = condition;
    return descriptor;
}

ParamDescriptor withUnit(const char* unit, ParamDescriptor descriptor)
{
    descriptor.unit = unit;
    return descriptor;
}

ParamDescriptor zeroMeans(const char* words, ParamDescriptor descriptor)
{
    descriptor.zero = words;
    return descriptor;
}

OptionEntry earlyStopping()
{
    const char* on = "enabled=true";
    return {"early_stopping", "Early stopping", "Ends the run by itself when it no longer gets better, which saves time and keeps the network from learning by heart.",
            {boolParam("enabled", "Stop early", false, "Ends the run when validation has stopped getting better. Costs nothing."),
             when(on, choiceParam("watch", "Watches", "val_loss", {{"val_loss", "validation loss", "Should fall"}, {"val_accuracy", "validation accuracy", "Should rise"}},
                                  "Which number must get better. The loss tells sooner that the network learns by heart; the accuracy is often what counts in the end.")),
             when(on, withUnit("epochs", intParam("patience", "Patience", 5, 1, 10'000, "So many epochs without a gain are waited for. More are not fooled by chance, and cost their time."))),
             when(on, advanced(realParam("smallest_gain", "Smallest gain", 0.0, 0.0, 1.0, "A change must be larger than this to count as a gain. Larger ends a run that hardly moves sooner, and may miss slow gains."))),
             when(on, boolParam("restore_best", "Take the best", true, "Goes back to the weights of the best epoch when the run ends early. Costs one checkpoint each time a new best is found."))}};
}

OptionEntry gradients()
{
    return {"gradients", "Gradients", "How gradients are gathered and kept in bounds before the weights are changed.",
            {zeroMeans("whole batch", withUnit("samples", intParam("micro_batch", "At once", 0, 0, 1 << 20,
                                          "How many samples of a batch go through the network at once; 0 is the whole batch. Smaller pieces need less memory and a little more time; "
                                          "the result stays that of the whole batch, but for batch normalisation."))),
             zeroMeans("off", realParam("clip_norm", "Largest norm", 0.0, 0.0, 1e6, "Scales all gradients down together when their length is above this; 0 never does. Keeps one odd batch from throwing training off; costs a pass over the gradients.")),
             zeroMeans("off", advanced(realParam("clip_value", "Largest value", 0.0, 0.0, 1e6, "Cuts each number of the gradients at this, up and down; 0 never does. Keeps single wild numbers from throwing training off, but turns the step aside, as the largest norm does not; costs a pass over the gradients.")))}};
}

OptionEntry precision()
{
    const char* scaled = "compute=fp16";
    const char* help = "What convolutions and matrix products compute in while training. Weights, gradients, the optimiser's state, norms, pooling, sums and the loss stay float32, "
                       "and so does every validation, test and prediction.";
    ParamDescriptor compute = choiceParam("compute", "Products in", "float32",
                                          {{"float32", "float32", "As exact as the weights: about seven digits."},
                                           {"tf32", "TF32", "Three digits in the products of an NVIDIA GPU (Ampere or newer), several times faster there. Elsewhere the same as float32."},
                                           {"bf16", "bfloat16", "Two to three digits, half the memory of what products are made of. Fast on new GPUs and on processors with AMX; on others often slower."},
                                           {"fp16", "float16", "Three digits but a small range, which a scale of the loss looks after. For GPUs older than Ampere."},
                                           {"auto", "Automatic", "Tries each product in float32 and bfloat16 when the run starts, and takes bfloat16 where it is faster. Costs a few steps' time once."}},
                                          help);
    ParamDescriptor first = when(scaled, advanced(realParam("first_scale", "First scale", 65536, 1, 16777216,
                                                            "What the loss is multiplied by at the start, so that small gradients do not vanish. It halves where gradients overflow, and that step is skipped.")));
    first.logarithmic = true;
    ParamDescriptor grows = when(scaled, withUnit("steps", advanced(intParam("scale_grows_after", "Doubles after", 2000, 1, 1'000'000,
                                                                             "So many steps without an overflow, and the scale is doubled. Sooner saves more small gradients; each overflow costs a skipped step."))));
    return {"precision", "Precision", "How exactly products are computed: fewer digits are faster where the hardware is made for them.", {compute, first, grows}};
}

OptionEntry memory()
{
    return {"memory", "Memory", "What is given up for a smaller footprint.",
            {choiceParam("recompute", "Compute again", "off", {{"off", "nothing", "All that the backward pass needs is kept."},
                                                              {"blocks", "the inside of blocks", "Only what flows between blocks is kept; the rest is computed a second time."}},
                         "Keeps only what flows between blocks of the network, and computes what lies inside of them a second time for the backward pass. Needs much less memory in deep networks "
                         "and takes up to a third longer; the result is the same, bit for bit.")}};
}

OptionEntry averaging()
{
    return {"averaging", "Weight averaging", "Keeps a running average of the weights beside them, which is often a little more accurate than the last step's.",
            {zeroMeans("off", realParam("decay", "Decay", 0.0, 0.0, 0.99999, "How much of the average is kept at each step (0.999 averages over the last thousand); 0 keeps no average. "
                                                            "Validation, test and checkpoints then use the average, which is often a little more accurate. Costs one more copy of the weights."))}};
}

OptionEntry limits()
{
    return {"limits", "Limits", "When a run ends by itself.",
            {zeroMeans("no limit", withUnit("minutes", realParam("minutes", "At most", 0.0, 0.0, 1e6, "Ends the run, with a checkpoint, after so many minutes of training; 0 lets it go on to its last epoch. Costs nothing; the run can be resumed.")))}};
}

OptionEntry safety()
{
    const char* on = "go_back=true";
    return {"safety", "Safety", "What happens when the loss or a gradient becomes NaN (not a number) or infinite. The run always stops before the step that would have spoilt the weights.",
            {boolParam("go_back", "Back on NaN", false,
                       "Instead of ending, goes back to the last good checkpoint and on from there with a lower learning rate. Costs a checkpoint at the start; what was trained after the checkpoint is trained anew."),
             when(on, realParam("rate_factor", "Lower the rate to", 0.5, 1e-6, 1.0, "The learning rate is multiplied by this each time the run goes back. Lower is safer, and learns slower from there.")),
             when(on, withUnit("times", intParam("times", "At most", 3, 1, 100, "Gone back so often, the run ends after all. More gives it further chances, and may train the same steps again and again.")))}};
}

ParamDescriptor textParam(const char* id, const char* title, double most, const char* help)
{
    ParamDescriptor descriptor;
    descriptor.id = id;
    descriptor.title = title;
    descriptor.help = help;
    descriptor.kind = ParamKind::Text;
    descriptor.defaultValue = std::string();
    descriptor.max = most;
    return descriptor;
}

OptionEntry start()
{
    return {"start", "Start", "What training starts from: random numbers drawn from the seed, or the weights of a run or a file.",
            {textParam("weights", "Weights", 200, "The name of the weights that training starts from; empty: random numbers. They are known by their SHA-256; to choose others, use the buttons, or sconce train --weights."),
             textParam("sha256", "SHA-256", 64, "Of the file of the weights that training starts from, which the store keeps. Empty: random numbers."),
             boolParam("only_what_fits", "Only what fits", false, "Takes the weights whose names and sizes are the network's, and leaves the rest random: for another number of classes, or more layers.")}};
}

OptionEntry speed()
{
    return {"speed", "Speed", "What Sconce does by itself to train faster. The result is the same but for rounding.",
            {boolParam("deterministic", "Repeatable", false,
                       "Two runs on the same GPU come to the same numbers, to the last bit: takes only operations that sum in a fixed order, which may be slower, and says so where there is none. "
                       "Adds nothing on the processor, where the same number of threads gives the same numbers anyway."),
             advanced(boolParam("cuda_graph", "CUDA graph", true,
                                "On an NVIDIA GPU a step is captured once, as a CUDA graph, and then replayed, which saves starting each of its parts: much where the network is small, little where it is large. "
                                "Short steps are replayed up to sixteen at a time. Each way is tried when the run starts, and a graph is kept only if it comes to the same numbers and is faster. "
                                "Costs the time of some thirty steps at the start, of a hundred where they are short, and memory: what a step takes stays with the graph, so that a validation needs its own beside it. "
                                "Adds nothing on the processor.")),
             advanced(boolParam("autotune", "Try convolutions", true,
                                "On an NVIDIA GPU every convolution is tried in each way that cuDNN knows, and the fastest is taken, at each start of the run anew. Costs seconds at the start and some memory; "
                                "the last digits may differ from one start to the next. Repeatable runs go without. Adds nothing on the processor.")),
             advanced(boolParam("resident_data", "Data on the GPU", true,
                                "Keeps the samples in an NVIDIA GPU's memory, as bytes, where they take no more than a quarter of what is free: nothing is copied there from step to step. "
                                "Switched off, each batch is copied while the one before it is computed, which takes less of the GPU's memory. Adds nothing on the processor.")),
             advanced(boolParam("channels_last", "Channels last", true, "Lays pictures out as the processor's convolutions like them, which makes them faster. Switch it off only to look for a fault.")),
             advanced(boolParam("pools_first", "Pools before ReLU", true, "Max pooling and ReLU give the same in either order, but ReLU behind the pool has a quarter of the work. Fused blocks need it. Switch it off only to look for a fault.")),
             advanced(boolParam("fused_blocks", "Fused blocks", true, "Runs convolution, 2×2 max pooling and activation in one pass where it can, several times faster on a CPU: gradients only where the pool chose, and 3×3 windows, also without a pool, by Winograd's sums; and attention over up to 256 positions in one piece, where it drops nothing and the width of a head is a multiple of 16. Always in float32. Switch it off only to look for a fault.")),
             advanced(boolParam("counted_dropout", "Counted dropout", true,
                                "Each number that dropout draws follows from seed, step and place alone: drawn on all threads at once, the same on the processor and on a GPU, and a recorded step can have it. "
                                "Switched off, torch's own generator draws them, set anew for every layer and step: other numbers, just as repeatable, slower on the processor, and no CUDA graph. Switch it off only to look for a fault.")),
             advanced(boolParam("fused_optimiser", "Fused optimiser", true, "Updates all weights in one operation where there is one (SGD, Adam, AdamW, Adagrad), instead of some ten for each. Switch it off only to look for a fault."))}};
}

} // namespace

std::span<const OptionEntry> trainingOptions()
{
    static const std::vector<OptionEntry> entries{earlyStopping(), gradients(), precision(), memory(), averaging(), limits(), safety(), start(), speed()};
    return entries;
}

const ParamValue& optionOf(const TrainingSettings& settings, std::string_view group, std::string_view id)
{
    return valueIn(trainingOptions(), settings.options, group, id);
}

bool flagOf(const TrainingSettings& settings, std::string_view group, std::string_view id)
{
    return std::get<bool>(optionOf(settings, group, id));
}

std::int64_t wholeOf(const TrainingSettings& settings, std::string_view group, std::string_view id)
{
    return std::get<std::int64_t>(optionOf(settings, group, id));
}

double realOf(const TrainingSettings& settings, std::string_view group, std::string_view id)
{
    return std::get<double>(optionOf(settings, group, id));
}

const std::string& wordOf(const TrainingSettings& settings, std::string_view group, std::string_view id)
{
    return std::get<std::string>(optionOf(settings, group, id));
}

void setOption(TrainingSettings& settings, const std::string& group, const std::string& id, ParamValue value)
{
    setIn(trainingOptions(), settings.options, group, id, std::move(value));
}

} // namespace sconce
