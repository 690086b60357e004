# Tests of cnnc in other projects' builds, of examples, packages and the README; they run commands as a user would.

# cnnc in other projects' builds
foreach(case "find_package;Unix Makefiles" "add_subdirectory;Unix Makefiles" "FetchContent;Unix Makefiles" "find_package;Ninja")
    list(GET case 0 how)
    list(GET case 1 generator)
    string(REPLACE " " "_" name "cmake_${how}_${generator}")
    set(folder ${name})
    if(generator STREQUAL "Ninja")
        set(folder "${name} in a folder with blanks")
        find_program(NINJA ninja)
        if(NOT NINJA)
            continue()
        endif()
    endif()
    add_test(NAME ${name} COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DBINARY=${PROJECT_BINARY_DIR} -DHOW=${how}
        "-DGENERATOR=${generator}" "-DWORK=${CMAKE_CURRENT_BINARY_DIR}/${folder}" -P ${CMAKE_CURRENT_LIST_DIR}/run.cmake)
endforeach()

# The rest links the installed runtime into programs that are compiled without sanitizers.
if(CMAKE_C_FLAGS MATCHES "-fsanitize")
    return()
endif()
set(prefix ${CMAKE_CURRENT_BINARY_DIR}/prefix)
add_test(NAME prefix COMMAND ${CMAKE_COMMAND} --install ${PROJECT_BINARY_DIR} --prefix ${prefix})
set_tests_properties(prefix PROPERTIES FIXTURES_SETUP prefix)

# Each example but mnist, which the README's commands run: its run.sh
file(GLOB examples CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}/examples ${PROJECT_SOURCE_DIR}/examples/*/README.md)
foreach(example ${examples})
    get_filename_component(example ${example} DIRECTORY)
    add_test(NAME example_${example} COMMAND ${CMAKE_CURRENT_LIST_DIR}/example.sh ${example} ${PROJECT_SOURCE_DIR} ${prefix}
        ${CMAKE_CURRENT_BINARY_DIR}/example_${example})
    set_tests_properties(example_${example} PROPERTIES FIXTURES_REQUIRED prefix SKIP_RETURN_CODE 77)
endforeach()

# What 'cnnc new' makes
add_test(NAME new COMMAND ${CMAKE_CURRENT_LIST_DIR}/new.sh ${prefix} ${CMAKE_CURRENT_BINARY_DIR}/new)
set_tests_properties(new PROPERTIES FIXTURES_REQUIRED prefix)

# The manual passes linters; each shell loads its completion, and bash and fish complete by it
foreach(what man bash zsh fish)
    add_test(NAME share_${what} COMMAND ${CMAKE_CURRENT_LIST_DIR}/share.sh ${what} ${prefix})
    set_tests_properties(share_${what} PROPERTIES FIXTURES_REQUIRED prefix SKIP_RETURN_CODE 77)
endforeach()

# An application built here for another machine
add_test(NAME cross_aarch64 COMMAND ${CMAKE_CURRENT_LIST_DIR}/cross.sh ${PROJECT_SOURCE_DIR} $<TARGET_FILE:cnnc> ${CMAKE_CURRENT_BINARY_DIR}/cross)
set_tests_properties(cross_aarch64 PROPERTIES SKIP_RETURN_CODE 77)

# The packages: installs one, so it is not among the others. ctest -L package
add_test(NAME package COMMAND ${CMAKE_CURRENT_LIST_DIR}/package.sh ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR} ${CMAKE_CURRENT_BINARY_DIR}/package)
set_tests_properties(package PROPERTIES LABELS "long;package" RUN_SERIAL ON SKIP_RETURN_CODE 77)

# What README.md shows
foreach(which short long)
    set(name readme)
    if(which STREQUAL "long")
        set(name readme_long)
    endif()
    add_test(NAME ${name} COMMAND ${CMAKE_CURRENT_LIST_DIR}/readme.sh ${which} ${PROJECT_SOURCE_DIR} ${prefix} ${CMAKE_CURRENT_BINARY_DIR}/${name})
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED prefix SKIP_RETURN_CODE 77)
endforeach()
set_tests_properties(readme_long PROPERTIES LABELS long RUN_SERIAL ON TIMEOUT 3600)
