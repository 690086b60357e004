# cnnc_add_network(TARGET NET.net [STATIC | SHARED] [INFERENCE] [WEIGHTS FILE] [OPTIONS ...]): a library target with a network's generated code.
#
# TARGET.c and TARGET.h are written into the binary directory of the caller, again whenever NET.net, a file that its options name
# or cnnc itself changes. Whoever links TARGET may include "TARGET.h" and cnnc_runtime.h. OPTIONS go to cnnc: --target=avx2,scalar.
# INFERENCE: code that only predicts and stands alone, without the runtime; with WEIGHTS its parameters are in the code.
# SHARED makes a shared library that has all of the runtime in it, for other languages to load; without either word
# BUILD_SHARED_LIBS decides.
#
# The compiler is the target cnnc::cnnc, or, when cross-compiling, the program that CNNC_EXECUTABLE names.
cmake_policy(VERSION 3.20) # of what follows, whatever the caller's; a rule that is read as Ninja reads it among them

function(cnnc_add_network target net)
    cmake_parse_arguments(PARSE_ARGV 2 arg "STATIC;SHARED;INFERENCE" "WEIGHTS" "OPTIONS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "cnnc_add_network: what is '${arg_UNPARSED_ARGUMENTS}'? Options of cnnc follow the word OPTIONS")
    endif()
    if("WEIGHTS" IN_LIST arg_KEYWORDS_MISSING_VALUES)
        message(FATAL_ERROR "cnnc_add_network: WEIGHTS wants the name of a file")
    endif()
    get_filename_component(net_path "${net}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
    if(arg_WEIGHTS)
        get_filename_component(weights "${arg_WEIGHTS}" ABSOLUTE BASE_DIR "${CMAKE_CURRENT_SOURCE_DIR}")
        list(PREPEND arg_OPTIONS "--weights=${weights}")
        set(arg_INFERENCE ON)
    endif()
    if(arg_INFERENCE)
        list(PREPEND arg_OPTIONS --inference)
    endif()
    set(out "${CMAKE_CURRENT_BINARY_DIR}/${target}")
    if(CNNC_EXECUTABLE)
        set(compiler "${CNNC_EXECUTABLE}")
        set(compiler_file "${CNNC_EXECUTABLE}")
    else()
        set(compiler cnnc::cnnc)
        set(compiler_file "$<TARGET_FILE:cnnc::cnnc>")
    endif()
    string(REGEX REPLACE "([ #])" "\\\\\\1" rule "${out}.c") # as a rule for Make has it
    string(REPLACE "$" "$$" rule "${rule}")
    add_custom_command(OUTPUT "${out}.c" "${out}.h"
        COMMAND "${compiler}" "${net_path}" -o "${out}.c" --header=${out}.h -MF "${out}.d" -MT "${rule}" ${arg_OPTIONS}
        COMMAND "${CMAKE_COMMAND}" -E touch_nocreate "${out}.c" "${out}.h" # cnnc leaves unchanged outputs as old as they are: for Make, too old
        DEPENDS "${net_path}" ${weights} "${compiler_file}" DEPFILE "${out}.d" COMMENT "cnnc ${net}" VERBATIM)
    set(kind "")
    if(arg_SHARED)
        set(kind SHARED)
    elseif(arg_STATIC)
        set(kind STATIC)
    endif()
    add_library(${target} ${kind} "${out}.c" "${out}.h")
    target_include_directories(${target} PUBLIC "${CMAKE_CURRENT_BINARY_DIR}")
    target_compile_options(${target} PRIVATE "$<$<CONFIG:>:-O2>") # without a build type it would be many times slower
    if(arg_INFERENCE)
        target_link_libraries(${target} PUBLIC m)
        return()
    endif()
    get_target_property(kind ${target} TYPE)
    if(kind STREQUAL "SHARED_LIBRARY") # whole, and not again in who links it: the network itself calls nothing of the runtime
        target_include_directories(${target} PUBLIC $<TARGET_PROPERTY:cnnc::runtime,INTERFACE_INCLUDE_DIRECTORIES>)
        target_link_libraries(${target} PRIVATE -Wl,--whole-archive cnnc::runtime -Wl,--no-whole-archive) # GNU ld, gold, lld
    else()
        target_link_libraries(${target} PUBLIC cnnc::runtime)
    endif()
endfunction()
