// SPDX-License-Identifier: GPL-3.0-or-later
#include "core/base/text.h"
#include "core/recipe/task.h"
#include "core/recipe/validate.h"

namespace sconce {

namespace {

class Hints
{
  public:
    Hints(const StackReport& report, const Recipe& recipe, std::vector<Problem>& problems)
        : m_report(report), m_stack(recipe.stack), m_recipe(recipe), m_problems(problems) {}

    void run()
    {
        lastLayers();
        for (std::size_t i = 0; i + 1 < m_stack.layers.size(); ++i) straightPair(i);
        if (m_recipe.training.batchSize == 1) batchOfOne();
        if (m_recipe.device == "cpu") precisionOfGpus();
    }

  private:
    Problem& add(const Layer& layer, const std::string& below, std::string sentence, std::string brief, std::string because)
    {
        const LayerReport& row = m_report.layers[m_report.byId.at(layer.id)];
        Problem hint;
        hint.severity = Severity::Hint;
        hint.path = row.path + below;
        hint.layer = layer.id;
        hint.sentence = layerCalled(row, m_stack) + " " + std::move(sentence);
        hint.brief = std::move(brief);
        hint.because = std::move(because);
        m_problems.push_back(std::move(hint));
        return m_problems.back();
    }
    std::string pathOf(const Layer& layer) const { return m_report.layers[m_report.byId.at(layer.id)].path; }
    bool known(const Layer& layer) const { return m_report.byId.contains(layer.id) && findLayerEntry(layer.type); }

    static std::string activationOf(const Layer& layer)
    {
        const LayerEntry* entry = findLayerEntry(layer.type);
        if (!entry || !findParam(entry->params, "activation")) return "none";
        const auto* text = std::get_if<std::string>(&valueOf(entry->params, layer.params, "activation"));
        return text ? *text : "none";
    }

    bool crossEntropy() const
    {
        const OptionEntry* task = findOption(taskEntries(), m_recipe.task.type);
        return task && findParam(task->params, "loss") && std::get<std::string>(valueOf(task->params, m_recipe.task.params, "loss")) == "binary_crossentropy";
    }
    /// The largest of the numbers wins, and the loss has the softmax in it.
    bool isContest() const { return targetOf(m_recipe.task) == Target::Class || targetOf(m_recipe.task) == Target::Next; }
    std::string lossTitle() const { return isContest() ? "cross-entropy" : "binary cross-entropy"; }
    bool isPartOfLoss(const std::string& activation) const
    {
        if (isContest()) return activation == "softmax" || activation == "log_softmax";
        return activation == "sigmoid" && (targetOf(m_recipe.task) == Target::Flag || targetOf(m_recipe.task) == Target::Labels);
    }
    /// An autoencoder's pictures may well end in what keeps them between 0 and 1; with cross-entropy only in the sigmoid.
    bool fitsLoss(const std::string& activation) const
    {
        return targetOf(m_recipe.task) == Target::Input && (activation == "sigmoid" || !crossEntropy());
    }
    std::string plainNumbers() const
    {
        switch (targetOf(m_recipe.task)) {
        case Target::Class:
        case Target::Next: break;
        case Target::Number: return "The loss wants plain numbers: targets are scaled to stand around 0, on both sides.";
        case Target::Flag:
        case Target::Labels:
        case Target::Input: return "The loss wants plain numbers, and has the sigmoid in it.";
        }
        return "The loss wants plain numbers, of which the largest wins.";
    }

    /// Behind the last Dense nothing belongs: the loss wants plain numbers.
    void lastLayers()
    {
        for (auto layer = m_stack.layers.rbegin(); layer != m_stack.layers.rend(); ++layer) {
            if (!known(*layer)) return;
            const LayerEntry& entry = *findLayerEntry(layer->type);
            if (entry.group == LayerGroup::Activation) {
                if (fitsLoss(layer->type)) return;
                const Fix remove = removeFix("Remove " + entry.title, pathOf(*layer));
                if (isPartOfLoss(layer->type)) add(*layer, "", "is already part of the loss, " + lossTitle() + ".", "already part of " + lossTitle(), "Twice is slower to learn and less exact.").fixes.push_back(remove);
                else add(*layer, "", "bends the answers of the last layer.", "bends the answers", plainNumbers()).fixes.push_back(remove);
            } else if (entry.group == LayerGroup::Regularisation) {
                add(*layer, "", "hides answers of the last layer at random.", "hides answers at random", "It belongs in front of the last layer.")
                    .fixes.push_back(removeFix("Remove " + entry.title, pathOf(*layer)));
            } else {
                if (layer->type == "dense") lastDense(*layer);
                return;
            }
        }
    }

    void lastDense(const Layer& layer)
    {
        const std::string activation = activationOf(layer);
        if (activation == "none" || fitsLoss(activation)) return;
        const Fix fix = replaceFix("Set activation to None", pathOf(layer) + "/activation", "none");
        if (isPartOfLoss(activation))
            add(layer, "/activation", "ends in a " + activation + ", which is already part of the loss, " + lossTitle() + ".", "its " + activation + " is already part of " + lossTitle(), "Twice is slower to learn and less exact.").fixes.push_back(fix);
        else
            add(layer, "/activation", "is the last layer and bends its answers.", "bends the answers", plainNumbers()).fixes.push_back(fix);
    }

    /// Two layers of sums without a bend between them can do no more than one.
    void straightPair(std::size_t i)
    {
        const Layer& first = m_stack.layers[i];
        if (first.type != "dense" || activationOf(first) != "none" || !known(first)) return;
        std::size_t next = i + 1;
        while (next < m_stack.layers.size() && (m_stack.layers[next].type == "dropout" || m_stack.layers[next].type == "flatten")) ++next;
        if (next == m_stack.layers.size() || m_stack.layers[next].type != "dense" || !known(m_stack.layers[next])) return;
        const LayerReport& second = m_report.layers[m_report.byId.at(m_stack.layers[next].id)];
        add(first, "/activation", "and " + layerCalled(second, m_stack) + " have no activation between them.", "no activation before the next Dense",
            "Without one, the two together can do no more than one.")
            .fixes.push_back(replaceFix("Set activation to ReLU", pathOf(first) + "/activation", "relu"));
    }

    void batchOfOne()
    {
        bool told = false;
        visitLayers(m_stack, [&](const Layer& layer, const std::string&, int) {
            if (told || layer.type != "batch_norm" || !known(layer)) return;
            told = true;
            add(layer, "", "averages over the batch, and a batch of 1 has nothing to average.", "needs several samples in a batch", "Group norm works with any batch.")
                .fixes.push_back(replaceFix("Set batch size to 32", "/training/batch_size", 32));
        });
    }

    /// Where no GPU computes, what was made for GPUs gains nothing.
    void precisionOfGpus()
    {
        const std::string& compute = wordOf(m_recipe.training, "precision", "compute");
        if (compute != "tf32" && compute != "fp16") return;
        Problem hint;
        hint.severity = Severity::Hint;
        hint.path = "/training/precision/compute";
        hint.sentence = compute == "tf32" ? "TF32 is a mode of NVIDIA GPUs: on the CPU this computes in float32." : "Float16 is made for GPUs: on a CPU it is seldom faster.";
        hint.brief = compute == "tf32" ? "float32 on the CPU" : "seldom faster on a CPU";
        hint.because = compute == "tf32" ? "The run's choices will say so." : "Bfloat16 needs no scale of the loss, and Automatic takes it only where it is faster.";
        hint.fixes.push_back(replaceFix(compute == "tf32" ? "Compute in float32" : "Choose automatically", hint.path, compute == "tf32" ? "float32" : "auto"));
        m_problems.push_back(std::move(hint));
    }

    const StackReport& m_report;
    const Stack& m_stack;
    const Recipe& m_recipe;
    std::vector<Problem>& m_problems;
};

} // namespace

void layerHints(const StackReport& report, const Recipe& recipe, std::vector<Problem>& problems)
{
    Hints(report, recipe, problems).run();
}

} // namespace sconce
