// cli/options_groups.h: what the option tables of several commands share.
#pragma once

#include "cli/options.h"

namespace nunchi::cli {

// A command with the options that every one has.
CLI::App* add(CLI::App& app, Options& o, const std::string& name, const std::string& description);

// Where the network of a command runs.
enum class Devices { cpu, all };

void add_model(CLI::App& command, Options& o, Devices devices = Devices::cpu);
void add_device(CLI::App& command, Options& o, Devices devices);
void add_bare_model(CLI::App& command, Options& o, const char* help);  // of what takes no pictures
void add_inputs(CLI::App& command, Options& o, const char* names);
void add_size(CLI::App& command, Options& o);          // of the network's input
void add_language(CLI::App& command, Options& o);      // of pages and figures
CLI::Option* add_dark(CLI::App& command, Options& o);  // of figures
void add_reading(CLI::App& command, Options& o);       // how pictures are read, whatever names them

// Of what draws: what is wrong with the file's name, empty where nothing is.
std::string check_picture_name(const std::string& name);
std::string check_page_or_picture_name(const std::string& name);

CLI::Validator one_of(const std::vector<std::string>& names, const std::string& in_words);

// --- the commands of options_classify.cpp

void add_classify(CLI::App& app, Options& o);
void add_eval(CLI::App& app, Options& o);
void add_compare(CLI::App& app, Options& o);

// --- options_train.cpp

void add_train(CLI::App& app, Options& o);

// --- options_demo.cpp

void add_demo(CLI::App& app, Options& o);

// --- options_bench.cpp

void add_bench(CLI::App& app, Options& o);

// --- options_quantize.cpp

void add_quantize(CLI::App& app, Options& o);

// --- options_profile.cpp

void add_profile(CLI::App& app, Options& o);

// --- options_explain.cpp

void add_explain(CLI::App& app, Options& o);

// --- options_features.cpp

void add_features(CLI::App& app, Options& o);

// Throws CLI::ParseError where something is to be shown of pictures and none is named, or of one file what needs
// several.
void check_features(const Options& options);

// --- options_graph.cpp

void add_graph(CLI::App& app, Options& o);
void add_walk(CLI::App& app, Options& o);

// --- of the models and inputs of a command line

bool takes_several_models(const Options& options);

// Whether a word can only be what a model is to look at: a picture, a folder of pictures, a glob.
bool is_input(const std::string& word, const Options& options);

// The words up to the first picture become models, the others stay inputs. Throws CLI::ParseError where either is
// missing.
void settle_models(Options& options);

// Throws CLI::ParseError.
void check_one_dataset(const Options& options);

}  // namespace nunchi::cli
